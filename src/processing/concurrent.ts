/** What `inSequences` works on, and how. */
export interface Sequences<T> {
  /** In the order of the log. */
  readonly items: readonly T[];
  readonly concurrency: number;
  readonly keyOf: (item: T) => string;
  readonly handle: (item: T) => Promise<void>;
  /** Begin nothing that lies after what has begun: let all that was begun become one block. */
  readonly draining: () => boolean;
  /** Begin nothing at all. */
  readonly aborted: () => boolean;
  /** The first `count` items are done: called from time to time, one call after the other. */
  readonly checkpoint: (count: number) => Promise<void>;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
}

/**
 * Handles items several at a time, those of one key in order, the oldest that may begin first. Resolves with the number of
 * items from the start that are all done; the checkpoint never passes one that is not.
 *
 * Asked to drain, it finishes what lies before the last item begun, so that a stop leaves no item done beyond the checkpoint.
 */
export function inSequences<T>(work: Sequences<T>): Promise<number> {
  const { items, concurrency, handle, every } = work;
  const keys = items.map((item) => work.keyOf(item));
  const begun = new Uint8Array(items.length);
  const done = new Uint8Array(items.length);
  const busy = new Set<string>();
  const errors: unknown[] = [];
  let firstToBegin = 0;
  let afterLastBegun = 0;
  let low = 0;
  let inFlight = 0;
  let stored = 0;
  let storedAt = performance.now();
  let storing = false;
  const { promise, resolve, reject } = Promise.withResolvers<number>();

  const next = (): number | undefined => {
    if (errors.length > 0 || work.aborted()) return undefined;
    const end = work.draining() ? afterLastBegun : items.length;
    while (firstToBegin < end && begun[firstToBegin] === 1) firstToBegin++;
    for (let i = firstToBegin; i < end; i++) if (begun[i] === 0 && !busy.has(keys[i]!)) return i;
    return undefined;
  };

  const begin = async (i: number): Promise<void> => {
    begun[i] = 1;
    afterLastBegun = Math.max(afterLastBegun, i + 1);
    busy.add(keys[i]!);
    inFlight++;
    try {
      await handle(items[i]!);
      done[i] = 1;
      while (low < items.length && done[low] === 1) low++;
    } catch (error) {
      errors.push(error);
    }
    busy.delete(keys[i]!);
    inFlight--;
    await store();
    fill();
  };

  const store = async (): Promise<void> => {
    if (storing || errors.length > 0 || low === stored || low === items.length) return;
    if (performance.now() - storedAt < every) return;
    storing = true;
    const count = low;
    try {
      await work.checkpoint(count);
      stored = count;
      storedAt = performance.now();
    } catch (error) {
      errors.push(error);
    }
    storing = false;
  };

  const fill = (): void => {
    for (let room = concurrency - inFlight; room > 0; room--) {
      const i = next();
      if (i === undefined) break;
      void begin(i);
    }
    if (inFlight > 0 || storing) return;
    if (errors.length > 0) reject(errors[0]);
    else resolve(low);
  };

  fill();
  return promise;
}
