import { retrySequence } from './letter-runner.ts';
import type { Work } from './ownership.ts';

/** Sequences whose letters are run before new events are looked at again. */
const AT_ONCE = 20;
/** One that is due already is being retried elsewhere: there is no hurry. */
const LEAST_WAIT = 20;

/** Retries the sequences of a partition whose first letter is due. */
export async function runDueLetters({ parts, definition, own }: Work): Promise<void> {
  if (own.parked.size === 0) return;
  const { processors } = parts.store;
  const { processor, partition } = own.lease;
  const due = await processors.letters.due(processor, partition, await processors.now(), AT_ONCE);
  const { signal, stopping, replayUntil, replayEffects } = own;
  for (const key of due) {
    if (stopping()) return;
    const retrying = { signal, stopping, replayUntil, replayEffects, asked: false };
    const { halt } = await retrySequence(parts, definition, key, retrying);
    if (halt !== undefined) await own.halt(halt);
    if ((await processors.letters.first(processor, key)) === undefined) own.parked.delete(key);
    own.progressAt = Date.now();
  }
}

/** Milliseconds until a letter of the partition is due; infinite if none waits for its time. */
export async function untilNextDue({ parts: { store }, own }: Work): Promise<number> {
  if (own.parked.size === 0) return Number.POSITIVE_INFINITY;
  const { processors } = store;
  const next = await processors.letters.nextDue(own.lease.processor, own.lease.partition);
  if (next === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(LEAST_WAIT, next.getTime() - (await processors.now()).getTime());
}
