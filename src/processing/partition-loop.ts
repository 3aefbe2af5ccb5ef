import { LeaseLostError } from '../errors/lease-lost-error.ts';
import { ProcessorHaltedError } from '../errors/processor-halted-error.ts';
import { UnreadableEventError } from '../errors/unreadable-event-error.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Lease, PartitionKey, PartitionRecord } from '../ports/processor-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import { retrySequence } from './letter-runner.ts';
import { Interrupted, PageHandler, type Ownership } from './page-handler.ts';
import type { ProcessingParts } from './parts.ts';
import { partitionOf, sequenceKey } from './sequence.ts';
import { contextForKey } from './occurrence-of.ts';

/** An idle loop looks again after so long, should every wake-up be lost. */
const POLL = 250;
/** Longest wait after an error of the store. */
const BACKOFF = 5_000;

/** How far an ownership goes: on for ever, or until the head of the source is reached. */
export type Extent = 'live' | 'head';

/**
 * Follows one partition of one processor: claims it, handles page after page, runs letters that are due, gives it back. All that
 * goes wrong here is logged, waited for and tried again; only `halt` ends it until somebody resumes.
 */
export class PartitionLoop {
  readonly key: PartitionKey;
  readonly #parts: ProcessingParts;
  readonly #definition: ProcessorDefinition;
  readonly #stop = new AbortController();
  readonly #abort = new AbortController();
  /** Why it does not advance, where it knows. */
  trouble: string | undefined;
  /** When it last did something. */
  progressAt = Date.now();
  /** Called once each time it halts. */
  onHalt: (error: ProcessorHaltedError) => void = () => {};

  constructor(parts: ProcessingParts, definition: ProcessorDefinition, partition: number) {
    this.#parts = parts;
    this.#definition = definition;
    this.key = { processor: definition.name, partition };
  }

  /** Ends after the event in hand. */
  stop(): void {
    this.#stop.abort();
  }

  /** Tells handlers to stop: their `signal` aborts. */
  abort(): void {
    this.#stop.abort();
    this.#abort.abort(new Interrupted('the processor is stopped'));
  }

  /** Runs until stopped. Never rejects. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping()) {
      try {
        const lease = await this.#claim();
        if (lease === undefined) {
          await this.#parts.advanced.wait(POLL, this.#stop.signal);
          continue;
        }
        try {
          await this.own(lease, 'live');
        } finally {
          await this.#parts.store.processors.release(lease);
        }
        failures = 0;
      } catch (error) {
        if (this.#stopping() || error instanceof Interrupted) continue;
        if (error instanceof LeaseLostError) {
          this.#parts.logger.warn('A partition was taken over; its transaction is rolled back.', { ...this.key });
        } else if (error instanceof ProcessorHaltedError) {
          this.trouble = error.message;
          this.#parts.logger.error(error.message, { ...this.key });
          this.onHalt(error);
          this.#parts.advanced.notify();
        } else {
          this.trouble = error instanceof Error ? error.message : String(error);
          this.#parts.logger.error(`A processor cannot go on and tries again: ${this.trouble}`, { ...this.key });
        }
        await this.#parts.advanced.wait(waitAfter(error, failures++), this.#stop.signal);
      }
    }
  }

  /** Handles events under a lease until stopped, paused, or, with `'head'`, until nothing is left. */
  async own(
    lease: Lease,
    extent: Extent,
    replayEffects = false,
    onPage: (own: Ownership) => void = () => {},
  ): Promise<void> {
    const { processors, lease: leaseTime } = this.#parts.store;
    const lost = new AbortController();
    // The lease is prolonged by every checkpoint; this timer is for handlers that take long.
    const renewal = setInterval(() => {
      void Promise.resolve(processors.renew(lease, leaseTime))
        .then((held) => {
          if (!held) lost.abort(new LeaseLostError(`${lease.processor}/${lease.partition}`));
        })
        .catch(() => undefined); // The next checkpoint says what is wrong.
    }, leaseTime / 3);
    try {
      const own = await this.#takeOver(lease, AbortSignal.any([lost.signal, this.#abort.signal]), replayEffects);
      const pages = new PageHandler(this.#parts, this.#definition, own);
      while (!this.#stopping()) {
        lost.signal.throwIfAborted();
        if (extent === 'live' && (await this.#paused())) return;
        await this.#runDue(own);
        const page = await this.#parts.source.pull(
          own.cursor,
          this.#definition.options.batchSize,
          this.#definition.eventNames,
        );
        if (page.cursor !== own.cursor) {
          await pages.handle(this.#mine(page.events, own), page.cursor);
          this.trouble = undefined;
          this.progressAt = Date.now();
          onPage(own);
        } else if (extent === 'head') return;
        else {
          this.progressAt = Date.now();
          await this.#idle(own, lost.signal);
        }
      }
    } finally {
      clearInterval(renewal);
    }
  }

  #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #claim(): Promise<Lease | undefined> {
    const { processors, lease } = this.#parts.store;
    if (await this.#paused()) return undefined;
    const record = await this.#record();
    if (record?.haltedBy !== undefined) {
      this.trouble = record.haltedBy;
      return undefined;
    }
    return processors.claim(this.key, { owner: this.#parts.owner, lease });
  }

  async #record(): Promise<PartitionRecord | undefined> {
    const records = await this.#parts.store.processors.partitions(this.key.processor);
    return records.find((record) => record.partition === this.key.partition);
  }

  async #paused(): Promise<boolean> {
    return (await this.#parts.store.processors.find(this.key.processor))?.paused === true;
  }

  async #takeOver(lease: Lease, signal: AbortSignal, replayEffects: boolean): Promise<Ownership> {
    const { source } = this.#parts;
    const { processors } = this.#parts.store;
    const record = await this.#record();
    const cursor = record?.cursor ?? (await this.#begin(lease));
    const head = await source.head();
    if (source.compare(cursor, head) > 0) {
      const why = `its checkpoint ${cursor} lies above the head ${head} of the ${source.name}: was the store restored from an older backup?`;
      await processors.commit({ lease, halted: why });
      throw new ProcessorHaltedError(lease.processor, lease.partition, why);
    }
    return {
      lease,
      cursor,
      replayUntil: record?.replayUntil,
      replayEffects,
      parked: new Set(await processors.letters.sequences(lease.processor, lease.partition)),
      stopping: () => this.#stopping(),
      signal,
    };
  }

  /** The first checkpoint, stored at once: `'end'` is fixed when the processor first runs. */
  async #begin(lease: Lease): Promise<string | undefined> {
    const { source } = this.#parts;
    const from = this.#definition.options.startFrom ?? 'beginning';
    if (from === 'beginning') return undefined;
    const cursor =
      from === 'end'
        ? await source.head()
        : 'position' in from
          ? String(from.position)
          : await source.cursorAt(from.timestamp);
    await this.#parts.store.processors.commit({ lease, checkpoint: { cursor } });
    return cursor;
  }

  #mine(events: readonly StoredEvent[], own: Ownership): readonly StoredEvent[] {
    if (this.#definition.options.partitions === 1) return events;
    return events.filter((stored) => {
      const key = sequenceKey(this.#definition, stored, () =>
        contextForKey(this.#parts, this.#definition, stored, own),
      );
      return partitionOf(this.#definition, stored, key) === this.key.partition;
    });
  }

  async #runDue(own: Ownership): Promise<void> {
    if (own.parked.size === 0) return;
    const { letters } = this.#parts.store.processors;
    const { processor, partition } = this.key;
    const due = await letters.due(processor, partition, await this.#parts.store.processors.now(), 20);
    for (const key of due) {
      if (this.#stopping()) return;
      const { halt } = await retrySequence(this.#parts, this.#definition, key, own);
      if (halt !== undefined) {
        await this.#parts.store.processors.commit({ lease: own.lease, halted: halt });
        throw new ProcessorHaltedError(processor, partition, halt);
      }
      if ((await letters.first(processor, key)) === undefined) own.parked.delete(key);
      this.progressAt = Date.now();
    }
  }

  async #idle(own: Ownership, lost: AbortSignal): Promise<void> {
    let wait = POLL;
    if (own.parked.size > 0) {
      const { letters } = this.#parts.store.processors;
      const next = await letters.nextDue(this.key.processor, this.key.partition);
      const now = await this.#parts.store.processors.now();
      if (next !== undefined) wait = Math.max(1, Math.min(POLL, next.getTime() - now.getTime()));
    }
    await this.#parts.source.changed(wait, AbortSignal.any([this.#stop.signal, lost]));
  }
}

function waitAfter(error: unknown, failures: number): number {
  if (error instanceof LeaseLostError) return POLL;
  if (error instanceof ProcessorHaltedError) return POLL;
  if (error instanceof UnreadableEventError) return BACKOFF;
  return Math.min(BACKOFF, 100 * 2 ** failures) * (1 + Math.random() * 0.5);
}
