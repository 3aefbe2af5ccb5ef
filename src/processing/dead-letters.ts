import type { Aggregate } from '../blocks/aggregate.ts';
import type { EventProcessor } from '../blocks/event-processor.ts';
import { isFromNewerBuild } from '../errors/unreadable-event-error.ts';
import { LifecycleError } from '../errors/lifecycle-error.ts';
import { UsageError } from '../errors/usage-error.ts';
import type { Class } from '../message/types.ts';
import type { Letter, LetterQuery } from '../ports/letter-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import { Busy } from '../context/busy.ts';
import { retrySequence } from './letter-runner.ts';
import type { ProcessingParts } from './parts.ts';

/** A parked event, as an operator sees it. */
export type DeadLetter = Letter;

/** Which letters: those that match all that is given. */
export interface LetterFilter {
  readonly tenant?: string;
  readonly processor?: Class<EventProcessor>;
  readonly aggregate?: { readonly type: Class<Aggregate>; readonly id: string };
}

/**
 * Events that a processor could not handle, and those of their sequences that wait behind them. A letter with `dueAt` is tried
 * again by itself; one without is dead until somebody retries or discards it.
 */
export interface DeadLetters {
  /** In the order of processor, then position; the parked followers too. Read in pages. */
  list(filter?: LetterFilter): AsyncIterable<DeadLetter>;
  count(filter?: LetterFilter): Promise<number>;
  /**
   * Runs every sequence that matches and is not being retried elsewhere, each in order, in this process, now. A failure stops
   * that sequence only. The processors must be registered here.
   */
  retry(filter?: LetterFilter): Promise<{ readonly handled: number; readonly failed: number }>;
  /** Gives one event up for good. Those behind it wait for `retry`. */
  discard(id: string, options: { readonly reason: string }): Promise<void>;
}

const PAGE = 200;

/** Letters of all processors of an application. */
export class Letters implements DeadLetters {
  readonly #parts: ProcessingParts;
  readonly #definitions: ReadonlyMap<string, ProcessorDefinition>;
  readonly #query: (filter: LetterFilter) => LetterQuery;
  readonly #shutdown: AbortSignal;
  readonly #busy = new Busy();
  #stopping = false;

  constructor(
    parts: ProcessingParts,
    definitions: ReadonlyMap<string, ProcessorDefinition>,
    query: (filter: LetterFilter) => LetterQuery,
    shutdown: AbortSignal,
  ) {
    this.#parts = parts;
    this.#definitions = definitions;
    this.#query = query;
    this.#shutdown = shutdown;
  }

  async *list(filter: LetterFilter = {}): AsyncIterable<DeadLetter> {
    yield* this.#all(this.#query(filter));
  }

  async count(filter: LetterFilter = {}): Promise<number> {
    return this.#parts.store.processors.letters.count(this.#query(filter));
  }

  async retry(filter: LetterFilter = {}): Promise<{ readonly handled: number; readonly failed: number }> {
    const sequences = new Map<string, { readonly definition: ProcessorDefinition; readonly key: string }>();
    for await (const letter of this.#all(this.#query(filter))) {
      const definition = this.#definitions.get(letter.processor);
      if (definition === undefined) {
        if (filter.processor === undefined) continue;
        throw new LifecycleError(
          `${letter.processor} is not registered here, so its letters cannot be retried in this process.`,
        );
      }
      sequences.set(`${letter.processor}\0${letter.sequenceKey}`, { definition, key: letter.sequenceKey });
    }
    return this.#busy.add(this.#retryAll([...sequences.values()]));
  }

  /** Ends retries after the letter in hand; nothing more is begun. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#busy.idle();
  }

  async discard(id: string, { reason }: { readonly reason: string }): Promise<void> {
    if (reason.trim() === '') throw new UsageError('discard: give a reason; it is kept with what was discarded.');
    if (!(await this.#parts.store.processors.letters.discard(id, reason)))
      throw new UsageError(
        `discard: there is no letter ${JSON.stringify(id)}. It may have been handled or discarded meanwhile; list() shows those that are left.`,
      );
    this.#parts.logger.warn('A dead letter was discarded.', { letter: id, reason });
    this.#parts.advanced.notify();
  }

  async #retryAll(
    sequences: readonly { readonly definition: ProcessorDefinition; readonly key: string }[],
  ): Promise<{ readonly handled: number; readonly failed: number }> {
    let handled = 0;
    let failed = 0;
    const retrying = {
      replayUntil: undefined,
      replayEffects: undefined,
      signal: this.#shutdown,
      stopping: () => this.#stopping || this.#shutdown.aborted,
      asked: true,
    };
    for (const { definition, key } of sequences) {
      if (retrying.stopping()) break;
      try {
        const result = await retrySequence(this.#parts, definition, key, retrying);
        handled += result.handled;
        failed += result.failed;
      } catch (error) {
        if (!isFromNewerBuild(error)) throw error;
        this.#parts.logger.warn(error.message);
        failed++;
      }
    }
    return { handled, failed };
  }

  async *#all(query: LetterQuery): AsyncIterable<Letter> {
    for (let after: Letter | undefined; ; ) {
      const page: readonly Letter[] = await this.#parts.store.processors.letters.page(query, { after, limit: PAGE });
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1);
    }
  }
}
