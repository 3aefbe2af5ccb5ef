import { isPromise } from '../context/scope.ts';
import { Transaction } from '../context/transaction.ts';
import { ProcessorHaltedError } from '../errors/processor-halted-error.ts';
import { UnreadableEventError } from '../errors/unreadable-event-error.ts';
import type { Decision } from '../blocks/outcome.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Lease } from '../ports/processor-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import { describeFailure, IN_PLACE, judge, type Failure, type Verdict } from './failure-policy.ts';
import { letterFor } from './letter.ts';
import { contextForKey, occurrenceOf } from './occurrence-of.ts';
import type { ProcessingParts } from './parts.ts';
import { sequenceKey } from './sequence.ts';

/** A transaction, or a stretch without a checkpoint, lasts no longer than this: others wait for the writer, and a crash repeats it. */
const STRETCH = 50;

/** What the owner of a partition knows while it owns it. */
export interface Ownership {
  readonly lease: Lease;
  cursor: string | undefined;
  replayUntil: string | undefined;
  readonly replayEffects: boolean;
  /** Sequences that have letters. It may hold too many: the store has the last word. */
  readonly parked: Set<string>;
  /** Asked to stop: finish the event in hand, nothing more. */
  readonly stopping: () => boolean;
  /** Aborts at a lost lease, and when stopping takes too long. */
  readonly signal: AbortSignal;
}

/** A handler failed. Only this is met by the failure policy; all other errors are the store's. */
class HandlerFailed extends Error {
  readonly index: number;
  readonly failure: Failure;

  constructor(index: number, failure: Failure) {
    super('handler failed');
    this.index = index;
    this.failure = failure;
  }
}

/** Brings a page of events to its processor, and its checkpoint with them. */
export class PageHandler {
  readonly #parts: ProcessingParts;
  readonly #definition: ProcessorDefinition;
  readonly #own: Ownership;
  /** The first event after taking over may have attempts from before. */
  #resumed = true;

  constructor(parts: ProcessingParts, definition: ProcessorDefinition, own: Ownership) {
    this.#parts = parts;
    this.#definition = definition;
    this.#own = own;
  }

  /** Handles or parks every event, then moves the checkpoint to `end`; asked to stop, it moves it to where it came. */
  async handle(events: readonly StoredEvent[], end: string): Promise<void> {
    let rest = events;
    if (this.#resumed && events.length > 0) {
      this.#resumed = false;
      if (await this.#resume(events[0]!)) rest = events.slice(1);
    }
    if (rest.length === 0) await this.#moveTo(end);
    else if (this.#definition.exactlyOnce) await this.#transactional(rest, end);
    else if (this.#definition.options.concurrency === 1) await this.#inOrder(rest, end);
    else await this.#concurrent(rest, end);
  }

  /** True if the event was begun before this owner came, and is now done or parked. */
  async #resume(stored: StoredEvent): Promise<boolean> {
    const { processors } = this.#parts.store;
    const begun = await processors.attempts(this.#own.lease, this.#parts.source.cursorOf(stored));
    if (begun === 0) return false;
    const failure = { error: new Error(`attempt ${begun} did not end: the process that made it stopped`) };
    await this.#meetPolicy(stored, failure, begun, true);
    return true;
  }

  // Exactly once: handlers and checkpoint in one transaction. At a failure all of it rolls back; what came before the failed
  // event goes again and commits, and the failed event meets the policy alone.
  async #transactional(events: readonly StoredEvent[], end: string): Promise<void> {
    let from = 0;
    let failed: HandlerFailed | undefined;
    while (from < events.length && !this.#own.stopping()) {
      if (failed?.index === from) {
        await this.#meetPolicy(events[from]!, failed.failure, 1, true);
        failed = undefined;
        from++;
        if (from === events.length) await this.#moveTo(end);
        continue;
      }
      try {
        from = await this.#stretch(events, from, failed?.index ?? events.length, end);
      } catch (error) {
        if (!(error instanceof HandlerFailed)) throw error;
        failed = error;
      }
    }
  }

  /** One transaction over events `from` up to, not including, at most `to`. Answers with where it stopped. */
  async #stretch(events: readonly StoredEvent[], from: number, to: number, end: string): Promise<number> {
    const { unitOfWork, processors } = this.#parts.store;
    let checkpoint!: Checkpoint;
    const until = await Transaction.run(unitOfWork, async (transaction) => {
      const began = performance.now();
      let at = from;
      while (at < to) {
        const stored = events[at]!;
        if (!(await this.#parkBehind(stored, transaction))) {
          const decision = this.#call(stored, at, 1, transaction);
          refuse(at, isPromise(decision) ? await decision : (decision as Decision | undefined));
        }
        if (transaction.pending.length > 0) await this.#deliverPending(at, transaction);
        at++;
        if (this.#own.stopping() || performance.now() - began > STRETCH) break;
      }
      checkpoint = this.#checkpoint(at === events.length ? end : this.#parts.source.cursorOf(events[at - 1]!));
      await processors.commit(
        { lease: this.#own.lease, checkpoint, prolong: this.#parts.store.lease },
        transaction.unit,
      );
      return at;
    });
    this.#moved(checkpoint);
    return until;
  }

  // At least once, in the order of the log.
  async #inOrder(events: readonly StoredEvent[], end: string): Promise<void> {
    let began = performance.now();
    for (let at = 0; at < events.length; at++) {
      const stored = events[at]!;
      if (!(await this.#parkBehind(stored, undefined))) {
        const failure = await this.#try(stored, 1);
        if (failure !== undefined) {
          if (at > 0) await this.#moveTo(this.#parts.source.cursorOf(events[at - 1]!));
          await this.#meetPolicy(stored, failure, 1, true);
        }
      }
      if (at === events.length - 1) break;
      if (this.#own.stopping()) return this.#moveTo(this.#parts.source.cursorOf(stored));
      if (performance.now() - began > STRETCH) {
        await this.#moveTo(this.#parts.source.cursorOf(stored));
        began = performance.now();
      }
    }
    await this.#moveTo(end);
  }

  // At least once, several sequences at a time. The checkpoint waits for all of the page, so that it never passes an event that
  // is neither done nor parked.
  async #concurrent(events: readonly StoredEvent[], end: string): Promise<void> {
    const sequences = new Map<string, StoredEvent[]>();
    for (const stored of events) {
      const key = this.#keyOf(stored);
      const queue = sequences.get(key);
      if (queue === undefined) sequences.set(key, [stored]);
      else queue.push(stored);
    }
    const queues = [...sequences.values()];
    let given = 0;
    let left = events.length;
    const errors: unknown[] = [];
    const work = async (): Promise<void> => {
      while (given < queues.length && errors.length === 0) {
        for (const stored of queues[given++]!) {
          if (this.#own.stopping() || errors.length > 0) return;
          if (!(await this.#parkBehind(stored, undefined))) {
            const failure = await this.#try(stored, 1);
            if (failure !== undefined) await this.#meetPolicy(stored, failure, 1, false);
          }
          left--;
        }
      }
    };
    const workers = Array.from({ length: this.#definition.options.concurrency }, () =>
      work().catch((error: unknown) => {
        errors.push(error);
      }),
    );
    await Promise.all(workers);
    if (errors.length > 0) throw errors[0];
    if (left === 0) await this.#moveTo(end);
  }

  /** Calls the handler. The failure it ends with, `undefined` if it does not; a store's error is thrown. */
  async #try(stored: StoredEvent, attempt: number): Promise<Failure | undefined> {
    try {
      const decision = this.#call(stored, 0, attempt, undefined);
      refuse(0, isPromise(decision) ? await decision : (decision as Decision | undefined));
      return undefined;
    } catch (error) {
      if (error instanceof HandlerFailed) return error.failure;
      throw error;
    }
  }

  /** Tries a failed event again as far as that is done in place, then parks it or does what the policy says. */
  async #meetPolicy(stored: StoredEvent, first: Failure, attempts: number, checkpoint: boolean): Promise<void> {
    if ('error' in first && first.error instanceof UnreadableEventError && first.error.reason === 'newer-version')
      throw first.error;
    const { processors, lease } = this.#parts.store;
    const cursor = this.#parts.source.cursorOf(stored);
    let failure = first;
    let attempt = attempts;
    let waited = 0;
    for (;;) {
      const verdict = judge(failure, attempt, this.#definition.options);
      if (verdict.kind !== 'again' || waited + verdict.delay > IN_PLACE)
        return this.#conclude(stored, failure, attempt, verdict, checkpoint);
      await pause(verdict.delay, this.#own);
      waited += verdict.delay;
      attempt++;
      await processors.commit({ lease: this.#own.lease, attempt: { cursor, attempts: attempt }, prolong: lease });
      const again = await this.#once(stored, attempt, checkpoint);
      if (again === undefined) return;
      failure = again;
    }
  }

  /** One event alone, with its checkpoint where `checkpoint` says so. */
  async #once(stored: StoredEvent, attempt: number, checkpoint: boolean): Promise<Failure | undefined> {
    const cursor = this.#parts.source.cursorOf(stored);
    if (!this.#definition.exactlyOnce) {
      const failure = await this.#try(stored, attempt);
      if (failure === undefined && checkpoint) await this.#moveTo(cursor);
      return failure;
    }
    try {
      const to = this.#checkpoint(cursor);
      await Transaction.run(this.#parts.store.unitOfWork, async (transaction) => {
        refuse(0, await this.#call(stored, 0, attempt, transaction));
        await this.#deliverPending(0, transaction);
        await this.#parts.store.processors.commit(
          { lease: this.#own.lease, checkpoint: to, prolong: this.#parts.store.lease },
          transaction.unit,
        );
      });
      this.#moved(to);
      return undefined;
    } catch (error) {
      if (error instanceof HandlerFailed) return error.failure;
      throw error;
    }
  }

  async #conclude(
    stored: StoredEvent,
    failure: Failure,
    attempts: number,
    verdict: Verdict,
    moves: boolean,
  ): Promise<void> {
    const { processors, lease: prolong } = this.#parts.store;
    const { lease } = this.#own;
    const { logger, source } = this.#parts;
    const to = moves ? this.#checkpoint(source.cursorOf(stored)) : undefined;
    const described = describeFailure(failure);
    const fields = {
      processor: lease.processor,
      position: String(stored.position),
      event: stored.name,
      attempts,
      error: described.errorName,
    };
    if (verdict.kind === 'halt') {
      const why = `${stored.name} at position ${stored.position} failed ${attempts} times: ${firstLine(described.cause)}`;
      await processors.commit({ lease, halted: why });
      throw new ProcessorHaltedError(
        lease.processor,
        lease.partition,
        why,
        'error' in failure ? { cause: failure.error } : undefined,
      );
    }
    if (verdict.kind === 'skip') {
      logger.error('An event is skipped for ever: its attempts are used up, and onExhausted is skip.', fields);
      if (to === undefined) return;
      await processors.commit({ lease, checkpoint: to, prolong });
      return this.#moved(to);
    }
    const key = this.#keyOf(stored);
    const now = await processors.now();
    const dueAt = verdict.kind === 'again' ? new Date(now.getTime() + verdict.delay) : undefined;
    const letter = letterFor(source, lease, key, stored, { failure, attempts, dueAt, now });
    await processors.commit({
      lease,
      letters: [{ kind: 'park', letter }],
      prolong,
      ...(to === undefined ? {} : { checkpoint: to }),
    });
    this.#own.parked.add(key);
    if (to !== undefined) this.#moved(to);
    if (dueAt === undefined) logger.error('An event is a dead letter: no attempt is left.', fields);
    else logger.warn('An event is parked until its next attempt is due.', { ...fields, dueAt: dueAt.toISOString() });
  }

  /** Parks an event behind the letters of its sequence, if there are any; false if it is to be handled. */
  async #parkBehind(stored: StoredEvent, transaction: Transaction | undefined): Promise<boolean> {
    const { parked, lease } = this.#own;
    if (parked.size === 0) return false;
    const key = this.#keyOf(stored);
    if (!parked.has(key)) return false;
    const { processors } = this.#parts.store;
    const now = await processors.now();
    const letter = letterFor(this.#parts.source, lease, key, stored, {
      failure: undefined,
      attempts: 0,
      dueAt: undefined,
      now,
    });
    const refused = await processors.commit({ lease, letters: [{ kind: 'behind', letter }] }, transaction?.unit);
    if (refused.length === 0) return true;
    parked.delete(key);
    return false;
  }

  /** @throws HandlerFailed if the event cannot be read or its handler throws at once; its promise rejects with it later. */
  #call(
    stored: StoredEvent,
    index: number,
    attempt: number,
    transaction: Transaction | undefined,
  ): Promise<Decision | undefined> | Decision | undefined {
    const fail = (error: unknown): never => {
      // What fails because it was told to stop has not failed: it counts as no attempt.
      if (this.#own.signal.aborted) throw new Interrupted('stopped in the middle of a handler');
      throw new HandlerFailed(index, { error });
    };
    let result;
    try {
      const occurrence = occurrenceOf(this.#parts, stored, attempt, this.#own);
      result = this.#parts.runner.run(this.#definition, occurrence, transaction);
    } catch (error) {
      return fail(error);
    }
    return isPromise(result) ? (result as Promise<Decision | undefined>).catch(fail) : result;
  }

  async #deliverPending(index: number, transaction: Transaction): Promise<void> {
    try {
      await this.#parts.deliverPending(transaction);
    } catch (error) {
      throw new HandlerFailed(index, { error });
    }
  }

  #keyOf(stored: StoredEvent): string {
    return sequenceKey(this.#definition, stored, () => contextForKey(this.#parts, this.#definition, stored, this.#own));
  }

  async #moveTo(cursor: string): Promise<void> {
    const checkpoint = this.#checkpoint(cursor);
    await this.#parts.store.processors.commit({ lease: this.#own.lease, checkpoint, prolong: this.#parts.store.lease });
    this.#moved(checkpoint);
  }

  /** A checkpoint at or past the one from before a replay ends the replay. */
  #checkpoint(cursor: string): Checkpoint {
    const { replayUntil } = this.#own;
    if (replayUntil !== undefined && this.#parts.source.compare(cursor, replayUntil) >= 0)
      return { cursor, replayUntil: undefined };
    return { cursor };
  }

  #moved(checkpoint: Checkpoint): void {
    this.#own.cursor = checkpoint.cursor;
    if ('replayUntil' in checkpoint) this.#own.replayUntil = undefined;
    this.#parts.advanced.notify();
  }
}

type Checkpoint = { readonly cursor: string; readonly replayUntil?: undefined };

/** Stopping, or a lost lease, ends the wait between two attempts; neither counts as one. */
export class Interrupted extends Error {}

async function pause(delay: number, { signal, stopping }: Ownership): Promise<void> {
  const end = performance.now() + delay;
  while (performance.now() < end) {
    if (signal.aborted || stopping()) throw new Interrupted('stopped between two attempts');
    await new Promise((resolve) => setTimeout(resolve, Math.min(50, Math.max(1, end - performance.now()))));
  }
}

function refuse(index: number, decision: Decision | undefined): void {
  if (decision !== undefined && decision.kind !== 'skip') throw new HandlerFailed(index, { decision });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
