import { Transaction } from '../context/transaction.ts';
import { isFromNewerBuild } from '../errors/unreadable-event-error.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import { call, HandlerFailed } from './call.ts';
import { failureFields, haltReason, IN_PLACE, judge, type Failure } from './failure-policy.ts';
import { letterFor } from './letter.ts';
import { Interrupted, type Ownership, type Work } from './ownership.ts';
import { sequenceKey } from './sequence.ts';

/**
 * Brings a failed event to an end: tries it again as far as that is done in place, then parks it or does what the policy says.
 * With `moves`, the checkpoint moves to the event in the same write.
 * @throws ProcessorHaltedError if the policy says halt; UnreadableEventError for an event that a newer build wrote
 */
export async function meetFailure(
  work: Work,
  stored: StoredEvent,
  begun: { readonly failure: Failure; readonly attempts: number; readonly moves: boolean },
): Promise<void> {
  const { parts, definition, own } = work;
  const cursor = parts.source.cursorOf(stored);
  const to = begun.moves ? cursor : undefined;
  let { failure, attempts } = begun;
  for (let waited = 0; ; ) {
    if ('error' in failure && isFromNewerBuild(failure.error)) throw failure.error;
    const verdict = judge(failure, attempts, definition.options);
    // Whoever resumes gets all attempts anew.
    if (verdict.kind === 'halt')
      return own.halt(
        haltReason(stored, failure, attempts),
        { attempt: { cursor, attempts: 0 } },
        'error' in failure ? failure.error : undefined,
      );
    if (verdict.kind === 'skip') return skipped(work, stored, failure, attempts, to);
    if (verdict.kind === 'park') return park(work, stored, { failure, attempts, delay: undefined, to });
    if (waited + verdict.delay > IN_PLACE) return park(work, stored, { failure, attempts, delay: verdict.delay, to });
    await pause(verdict.delay, own);
    waited += verdict.delay;
    attempts++;
    await own.commit({ attempt: { cursor, attempts } });
    try {
      return await tryAlone(work, stored, attempts, to);
    } catch (error) {
      // What was told to stop has not failed.
      if (error instanceof Interrupted) await own.commit({ attempt: { cursor, attempts: attempts - 1 } });
      if (!(error instanceof HandlerFailed)) throw error;
      failure = error.failure;
    }
  }
}

async function tryAlone(
  { parts, definition, own }: Work,
  stored: StoredEvent,
  attempt: number,
  to: string | undefined,
): Promise<void> {
  if (definition.exactlyOnce) {
    await Transaction.run(parts.store.unitOfWork, async (transaction) => {
      await call(parts, definition, own, stored, attempt, transaction);
      await own.commit({ cursor: to }, transaction.unit);
    });
    if (to !== undefined) own.moved(to);
    return;
  }
  await call(parts, definition, own, stored, attempt, undefined);
  // Where the checkpoint does not follow at once, what was begun is forgotten: it has ended well.
  if (to !== undefined) await own.commit({ cursor: to });
  else await own.commit({ attempt: { cursor: parts.source.cursorOf(stored), attempts: 0 } });
}

async function skipped(
  { parts: { logger }, own }: Work,
  stored: StoredEvent,
  failure: Failure,
  attempts: number,
  to: string | undefined,
): Promise<void> {
  logger.error(
    'An event is skipped for ever: its attempts are used up, and onExhausted is skip.',
    failureFields(own.lease.processor, stored, failure, attempts),
  );
  await own.commit({ cursor: to });
}

async function park(
  { parts, definition, own }: Work,
  stored: StoredEvent,
  {
    failure,
    attempts,
    delay,
    to,
  }: {
    readonly failure: Failure;
    readonly attempts: number;
    readonly delay: number | undefined;
    readonly to: string | undefined;
  },
): Promise<void> {
  const { source, store, logger } = parts;
  const key = sequenceKey(parts, definition, stored, own);
  const now = await store.processors.now();
  const dueAt = delay === undefined ? undefined : new Date(now.getTime() + delay);
  const letter = letterFor(source, own.lease, key, stored, { failure, attempts, dueAt, now });
  await own.commit({ cursor: to, letters: [{ kind: 'park', letter }] });
  own.parked.add(key);
  const fields = failureFields(own.lease.processor, stored, failure, attempts);
  if (dueAt === undefined) logger.error('An event is a dead letter: no attempt is left.', fields);
  else logger.warn('An event is parked until its next attempt is due.', { ...fields, dueAt: dueAt.toISOString() });
}

/** Parks an event behind the letters of its sequence, if there are any; false if it is to be handled. */
export async function parkBehind(
  { parts, definition, own }: Work,
  stored: StoredEvent,
  transaction: Transaction | undefined,
): Promise<boolean> {
  const { source, store } = parts;
  const key = sequenceKey(parts, definition, stored, own);
  if (!own.parked.has(key)) return false;
  const letter = letterFor(source, own.lease, key, stored, {
    failure: undefined,
    attempts: 0,
    dueAt: undefined,
    now: await store.processors.now(),
  });
  const refused = await own.commit({ letters: [{ kind: 'behind', letter }] }, transaction?.unit);
  if (refused.length === 0) return true;
  own.parked.delete(key);
  return false;
}

async function pause(delay: number, { signal, stopping }: Ownership): Promise<void> {
  const end = performance.now() + delay;
  while (performance.now() < end) {
    if (signal.aborted || stopping()) throw new Interrupted('stopped between two attempts');
    await new Promise((resolve) => setTimeout(resolve, Math.min(50, Math.max(1, end - performance.now()))));
  }
}
