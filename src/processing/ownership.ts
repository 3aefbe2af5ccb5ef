import { ProcessorHaltedError } from '../errors/processor-halted-error.ts';
import type { LetterChange } from '../ports/letter-store.ts';
import type { Lease } from '../ports/processor-store.ts';
import type { Unit } from '../ports/unit-of-work.ts';
import type { ProcessorDefinition } from './definition.ts';
import type { Circumstances, ReplayEffects } from './occurrence-of.ts';
import type { ProcessingParts } from './parts.ts';

/** Stopping, or a lost lease, ended a handler or a wait between two attempts. It counts as no attempt. */
export class Interrupted extends Error {}

/** What an owner of a partition writes: all of it or nothing. */
interface Change {
  /** Moves the checkpoint there. */
  readonly cursor?: string | undefined;
  readonly letters?: readonly LetterChange[];
  readonly attempt?: { readonly cursor: string; readonly attempts: number };
  readonly halted?: string;
}

/** A processor at work on a partition that it owns. */
export interface Work {
  readonly parts: ProcessingParts;
  readonly definition: ProcessorDefinition;
  readonly own: Ownership;
}

interface Beginning {
  readonly lease: Lease;
  readonly cursor: string | undefined;
  readonly replayUntil: string | undefined;
  readonly replayEffects: ReplayEffects;
  readonly parked: Iterable<string>;
  readonly stopping: () => boolean;
}

/** What the owner of a partition knows while it owns it, and its right to write. */
export class Ownership implements Circumstances {
  readonly lease: Lease;
  readonly replayEffects: ReplayEffects;
  /** Sequences that have letters. It may hold too many: the store has the last word. */
  readonly parked: Set<string>;
  /** Asked to stop: finish the event in hand, nothing more. */
  readonly stopping: () => boolean;
  /** When the checkpoint moved last, or it was found that there is nothing to do. */
  progressAt = Date.now();
  #cursor: string | undefined;
  #replayUntil: string | undefined;
  readonly #cancel = new AbortController();
  readonly #parts: ProcessingParts;

  constructor(parts: ProcessingParts, beginning: Beginning) {
    this.#parts = parts;
    this.lease = beginning.lease;
    this.replayEffects = beginning.replayEffects;
    this.parked = new Set(beginning.parked);
    this.stopping = beginning.stopping;
    this.#cursor = beginning.cursor;
    this.#replayUntil = beginning.replayUntil;
  }

  /** The checkpoint. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get replayUntil(): string | undefined {
    return this.#replayUntil;
  }

  /** Aborts at a lost lease, and when stopping takes too long. */
  get signal(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Tells handlers to stop. */
  cancel(reason: Error): void {
    this.#cancel.abort(reason);
  }

  /**
   * Writes under the lease, and prolongs it. With a unit, call `moved` once that has committed. Answers with the letters that
   * were not stored, as the store's `commit` does.
   * @throws LeaseLostError
   */
  async commit({ cursor, ...rest }: Change, unit?: Unit): Promise<readonly string[]> {
    const { processors, lease: prolong } = this.#parts.store;
    const checkpoint = cursor === undefined ? undefined : this.#checkpoint(cursor);
    const refused = await processors.commit(
      { lease: this.lease, prolong, ...rest, ...(checkpoint && { checkpoint }) },
      unit,
    );
    if (cursor !== undefined && unit === undefined) this.moved(cursor);
    return refused;
  }

  /**
   * Writes down why it goes no further.
   * @throws ProcessorHaltedError, always
   */
  async halt(why: string, change: Change = {}, cause?: unknown): Promise<never> {
    await this.commit({ ...change, halted: why });
    throw new ProcessorHaltedError(this.lease.processor, this.lease.partition, why, { cause });
  }

  /** The checkpoint is there now. */
  moved(cursor: string): void {
    if ('replayUntil' in this.#checkpoint(cursor)) this.#replayUntil = undefined;
    this.#cursor = cursor;
    this.progressAt = Date.now();
    this.#parts.advanced.notify();
  }

  /** A checkpoint at or past the one from before a replay ends the replay. */
  #checkpoint(cursor: string): { readonly cursor: string; readonly replayUntil?: undefined } {
    if (this.#replayUntil !== undefined && this.#parts.source.compare(cursor, this.#replayUntil) >= 0)
      return { cursor, replayUntil: undefined };
    return { cursor };
  }
}
