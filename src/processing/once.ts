import type { Scope } from '../context/scope.ts';
import { EffectInTransactionError } from '../errors/effect-in-transaction-error.ts';
import { EffectUnknownError } from '../errors/effect-unknown-error.ts';
import { ResultGoneError } from '../errors/result-gone-error.ts';
import { UnrecoverableError } from '../errors/unrecoverable-error.ts';
import { decode, encode, type Encoded } from '../message/codec.ts';
import type { Awaitable } from '../message/types.ts';
import type { IdempotencyStorageBackend } from '../ports/idempotency.ts';
import { keyPrefix, type Occurrence } from './occurrence.ts';

export interface OnceOptions {
  readonly onUnknown?: 'rerun' | 'park';
}

/** Runs an effect outside the store and remembers its result: see `EventContext.once`. */
export async function once<T>(
  services: { readonly effects: IdempotencyStorageBackend },
  processor: string,
  occurrence: Occurrence,
  scope: Scope,
  key: string,
  effect: (idempotencyKey: string) => Awaitable<T>,
  options: OnceOptions = {},
): Promise<T> {
  if (scope.transaction !== undefined) throw new EffectInTransactionError(processor, key);
  const { effects } = services;
  const idempotencyKey = `${keyPrefix(processor, occurrence)}/${key}`;
  const mark = await effects.read(idempotencyKey);
  if (mark?.state === 'done') return decode(mark.result.data, mark.result.types) as T;
  if (occurrence.replaying && !occurrence.replayEffects)
    throw new ResultGoneError(processor, `the effect ${JSON.stringify(key)}`);
  if (mark?.state === 'started' && options.onUnknown === 'park') throw new EffectUnknownError(processor, key);
  if (mark === undefined) await effects.start(idempotencyKey);
  let result: T;
  try {
    result = await effect(idempotencyKey);
  } catch (error) {
    // It failed and said so: that is no unknown outcome, and the next attempt may run it.
    await effects.abandon(idempotencyKey);
    throw error;
  }
  await effects.finish(idempotencyKey, encoded(result, processor, key));
  return result;
}

/** The effect has happened: a further attempt would repeat it, and fail here again. */
function encoded(result: unknown, processor: string, key: string): Encoded {
  try {
    return encode(result, `the result of once(${JSON.stringify(key)}) of ${processor}`);
  } catch (cause) {
    throw new UnrecoverableError(`The effect ran, but its result is not kept: ${(cause as Error).message}`, { cause });
  }
}
