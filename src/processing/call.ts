import { inspectable } from '../errors/message-of.ts';
import type { Decision } from '../blocks/outcome.ts';
import { isPromise } from '../context/scope.ts';
import type { Transaction } from '../context/transaction.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { ProcessorDefinition } from './definition.ts';
import type { Failure } from './failure-policy.ts';
import { type Circumstances, occurrenceOf } from './occurrence-of.ts';
import { Interrupted } from './ownership.ts';
import type { ProcessingParts } from './parts.ts';

/** A handler failed. Only this is met by the failure policy; all other errors are the store's. */
export class HandlerFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super('a handler failed');
    this.failure = failure;
  }
}

/**
 * Calls the handler for an event; in a transaction, also the synchronous processors of what it appended. Answers at once, with
 * nothing, where the handler does: a promise for every event would cost more than reading it.
 * @throws HandlerFailed, at once or by the promise, if the event cannot be read, the handler throws, or it refuses the event
 * @throws Interrupted instead, if it was told to stop
 */
export function call(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  circumstances: Circumstances,
  stored: StoredEvent,
  attempt: number,
  transaction: Transaction | undefined,
): Promise<void> | undefined {
  let result;
  try {
    result = parts.runner.run(definition, occurrenceOf(parts, stored, attempt, circumstances), transaction);
  } catch (error) {
    throw failed(error, circumstances.signal);
  }
  if (isPromise(result) || (transaction !== undefined && transaction.pending.length > 0))
    return finish(parts, definition, stored, result, circumstances.signal, transaction);
  if (result !== undefined) check(parts, definition, stored, result);
  return undefined;
}

async function finish(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  stored: StoredEvent,
  result: unknown,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<void> {
  let decision;
  try {
    decision = (await result) as Decision | undefined;
    if (transaction !== undefined && transaction.pending.length > 0) await parts.deliverPending(transaction);
  } catch (error) {
    throw failed(error, signal);
  }
  if (decision !== undefined) check(parts, definition, stored, decision);
}

function failed(error: unknown, signal: AbortSignal): Error {
  return signal.aborted
    ? new Interrupted('stopped in the middle of a handler')
    : new HandlerFailed({ error: inspectable(error) });
}

function check(
  { logger }: ProcessingParts,
  { name }: ProcessorDefinition,
  stored: StoredEvent,
  decision: Decision,
): void {
  if (decision.kind !== 'skip') throw new HandlerFailed({ decision });
  logger.debug(`${name} skipped an event: ${decision.why}`, { position: String(stored.position), event: stored.name });
}
