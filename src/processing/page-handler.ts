import { Transaction } from '../context/transaction.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import { call, HandlerFailed } from './call.ts';
import { inSequences } from './concurrent.ts';
import { meetFailure, parkBehind } from './failed-event.ts';
import { Interrupted, type Work } from './ownership.ts';
import { sequenceKey } from './sequence.ts';

/** A transaction, or a stretch without a checkpoint, lasts no longer than this: others wait for the writer, and a crash repeats it. */
const STRETCH = 50;
/** Several at a time, a stretch ends when all its handlers have: often enough for pauses and letters that are due. */
const CONCURRENT_STRETCH = 1_000;

/** Brings the events of a page to their processor, and its checkpoint with them. */
export class PageHandler {
  readonly #work: Work;
  /** The first page after taking over may hold events with attempts from before. */
  #resumed = false;
  /** The event at which the last transaction failed. */
  #failed: { readonly stored: StoredEvent; readonly index: number; readonly error: HandlerFailed } | undefined;

  constructor(work: Work) {
    this.#work = work;
  }

  /**
   * One stretch: handles or parks events from the index `from` on and moves the checkpoint behind them, to `end` after the last.
   * Answers with the index where to go on.
   */
  async handle(events: readonly StoredEvent[], from: number, end: string): Promise<number> {
    const { definition } = this.#work;
    if (!definition.exactlyOnce && definition.options.concurrency > 1) return this.#concurrent(events, from, end);
    if (!this.#resumed) {
      this.#resumed = true;
      if (await this.#resume(events[from]!)) return this.#behind(events, from, end);
    }
    return definition.exactlyOnce ? this.#transactional(events, from, end) : this.#inOrder(events, from, end);
  }

  /** Brings an event to its end that was begun before this owner came; false if it was not. */
  async #resume(stored: StoredEvent): Promise<boolean> {
    const { attempts, error } = await this.#begun(stored);
    if (attempts === 0) return false;
    await meetFailure(this.#work, stored, { failure: { error }, attempts, moves: true });
    return true;
  }

  async #begun(stored: StoredEvent): Promise<{ readonly attempts: number; readonly error: Error }> {
    const { parts, own } = this.#work;
    const attempts = await parts.store.processors.attempts(own.lease, parts.source.cursorOf(stored));
    return { attempts, error: new Error(`attempt ${attempts} did not end well: the process that made it has stopped`) };
  }

  // Exactly once: handlers and checkpoint in one transaction. At a failure all of it rolls back; what came before the failed
  // event goes again and commits, and the failed event meets the policy alone.
  async #transactional(events: readonly StoredEvent[], from: number, end: string): Promise<number> {
    const failed = this.#failed;
    if (failed?.stored === events[from]) {
      this.#failed = undefined;
      const { failure } = (failed as NonNullable<typeof failed>).error;
      await meetFailure(this.#work, events[from]!, { failure, attempts: 1, moves: true });
      return this.#behind(events, from, end);
    }
    const to = failed === undefined ? events.length : failed.index;
    const { parts, own } = this.#work;
    let at = from;
    let cursor!: string;
    try {
      await Transaction.run(parts.store.unitOfWork, async (transaction) => {
        const deadline = performance.now() + STRETCH;
        do {
          const stored = events[at]!;
          if (own.parked.size === 0 || !(await parkBehind(this.#work, stored, transaction))) {
            const running = call(parts, this.#work.definition, own, stored, 1, transaction);
            if (running !== undefined) await running;
          }
          at++;
        } while (at < to && !own.stopping() && performance.now() < deadline);
        cursor = this.#after(events, at, end);
        await own.commit({ cursor }, transaction.unit);
      });
    } catch (error) {
      if (!(error instanceof HandlerFailed)) throw error;
      this.#failed = { stored: events[at]!, index: at, error };
      return from;
    }
    own.moved(cursor);
    return at;
  }

  // At least once, in the order of the log.
  async #inOrder(events: readonly StoredEvent[], from: number, end: string): Promise<number> {
    const { parts, definition, own } = this.#work;
    const deadline = performance.now() + STRETCH;
    let at = from;
    try {
      do {
        const stored = events[at]!;
        if (own.parked.size === 0 || !(await parkBehind(this.#work, stored, undefined))) {
          const running = call(parts, definition, own, stored, 1, undefined);
          if (running !== undefined) await running;
        }
        at++;
      } while (at < events.length && !own.stopping() && performance.now() < deadline);
    } catch (error) {
      if (at > from && (error instanceof HandlerFailed || error instanceof Interrupted))
        await own.commit({ cursor: this.#after(events, at, end) });
      if (!(error instanceof HandlerFailed)) throw error;
      await meetFailure(this.#work, events[at]!, { failure: error.failure, attempts: 1, moves: true });
      return this.#behind(events, at, end);
    }
    await own.commit({ cursor: this.#after(events, at, end) });
    return at;
  }

  // At least once, several sequences at a time. The checkpoint stays before the first event that is neither done nor parked.
  async #concurrent(events: readonly StoredEvent[], from: number, end: string): Promise<number> {
    const { parts, definition, own } = this.#work;
    const resumes = !this.#resumed;
    this.#resumed = true;
    const deadline = performance.now() + CONCURRENT_STRETCH;
    const count = await inSequences({
      items: from === 0 ? events : events.slice(from),
      concurrency: definition.options.concurrency,
      keyOf: (stored) => sequenceKey(parts, definition, stored, own),
      handle: async (stored) => {
        if (own.parked.size > 0 && (await parkBehind(this.#work, stored, undefined))) return;
        const begun = resumes ? await this.#begun(stored) : undefined;
        if (begun !== undefined && begun.attempts > 0)
          return meetFailure(this.#work, stored, {
            failure: { error: begun.error },
            attempts: begun.attempts,
            moves: false,
          });
        try {
          await call(parts, definition, own, stored, 1, undefined);
        } catch (error) {
          if (!(error instanceof HandlerFailed)) throw error;
          await meetFailure(this.#work, stored, { failure: error.failure, attempts: 1, moves: false });
        }
      },
      draining: () => own.stopping() || performance.now() > deadline,
      aborted: () => own.signal.aborted,
      checkpoint: async (done) => {
        await own.commit({ cursor: this.#after(events, from + done, end) });
      },
      every: STRETCH,
    });
    if (count > 0) await own.commit({ cursor: this.#after(events, from + count, end) });
    return from + count;
  }

  /** Goes on behind an event that is done or parked, with its checkpoint. */
  async #behind(events: readonly StoredEvent[], index: number, end: string): Promise<number> {
    if (index + 1 === events.length) await this.#work.own.commit({ cursor: end });
    return index + 1;
  }

  /** The checkpoint once the first `count` events are done. */
  #after(events: readonly StoredEvent[], count: number, end: string): string {
    return count === events.length ? end : this.#work.parts.source.cursorOf(events[count - 1]!);
  }
}
