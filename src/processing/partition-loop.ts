import { LONGEST_TIMER } from '../message/duration.ts';
import { messageOf } from '../errors/message-of.ts';
import { Signal } from '../context/signal.ts';
import { LeaseLostError } from '../errors/lease-lost-error.ts';
import { ProcessorHaltedError } from '../errors/processor-halted-error.ts';
import { UnreadableEventError } from '../errors/unreadable-event-error.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Lease, PartitionKey, PartitionRecord } from '../ports/processor-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import { runDueLetters, untilNextDue } from './due-letters.ts';
import type { ReplayEffects } from './occurrence-of.ts';
import { Interrupted, type Ownership } from './ownership.ts';
import { PageHandler } from './page-handler.ts';
import type { ProcessingParts } from './parts.ts';
import { partitionOf } from './sequence.ts';
import { takeOver } from './take-over.ts';

/** An idle loop looks again after so long, should every wake-up be lost. */
const POLL = 250;
/** Longest wait after an error of the store. */
const BACKOFF = 5_000;
/** Pages that hold nothing for a processor move its checkpoint no more often than this. */
const SKIMMING = 50;

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
  readonly #started = Promise.withResolvers<void>();
  #stopped = false;
  /** How many want it to own nothing for a while. */
  #suspended = 0;
  #own: Ownership | undefined;
  #owning: Promise<void> = Promise.resolve();
  #resting: AbortController | undefined;
  /** Why it does not advance, where it knows. */
  trouble: string | undefined;
  /** How it was halted, while it is. */
  halted: ProcessorHaltedError | undefined;
  /** Called once each time it halts, or finds itself halted. */
  onHalt: (error: ProcessorHaltedError) => void = () => {};

  constructor(parts: ProcessingParts, definition: ProcessorDefinition, partition: number) {
    this.#parts = parts;
    this.#definition = definition;
    this.key = { processor: definition.name, partition };
  }

  /** Resolves once it follows its partition, or knows why it does not. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** When it moved last, or found that there is nothing to do. */
  get progressAt(): number | undefined {
    return this.#own?.progressAt;
  }

  /** Ends after the event in hand. */
  stop(): void {
    this.#stopped = true;
    this.wake();
  }

  /** Tells handlers to stop: their `signal` aborts. */
  abort(): void {
    this.stop();
    this.#own?.cancel(new Interrupted('the processor is stopped'));
  }

  /** Ends a rest: something may have changed. */
  wake(): void {
    this.#resting?.abort();
  }

  /** Finishes the event in hand and gives the partition back; claims it again after the function that this resolves with. */
  async suspend(): Promise<() => void> {
    this.#suspended++;
    this.wake();
    await this.#owning;
    return () => {
      this.#suspended--;
      this.wake();
    };
  }

  /** Runs until stopped. Never rejects. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#stopped; ) {
      try {
        const lease = this.#suspended > 0 ? undefined : await this.#claim();
        if (lease !== undefined) {
          const owning = this.#live(lease);
          this.#owning = owning.catch(() => undefined);
          await owning;
          failures = 0;
          if (this.#suspended === 0) continue;
        }
        this.#started.resolve();
        await this.#rest(POLL);
      } catch (error) {
        this.#started.resolve();
        if (error instanceof Interrupted) continue;
        this.#report(error);
        await this.#rest(waitAfter(error, failures++));
      }
    }
    this.#started.resolve();
  }

  /** Handles events under a lease until stopped, paused, or, with `'head'`, until nothing is left. */
  async own(
    lease: Lease,
    extent: Extent,
    replayEffects?: ReplayEffects,
    onPage: (own: Ownership) => void = () => {},
  ): Promise<void> {
    const { processors, lease: leaseTime } = this.#parts.store;
    const stopping = (): boolean => this.#stopped || this.#suspended > 0;
    const own = await takeOver(this.#parts, this.#definition, { lease, replayEffects, stopping });
    this.#own = own;
    this.halted = undefined;
    this.#started.resolve();
    // The lease is prolonged by every checkpoint; this timer is for handlers that take long.
    const renewal = setInterval(
      () => {
        void Promise.resolve(processors.renew(lease, leaseTime))
          .then((held) => {
            if (!held) this.#lost(own);
          })
          .catch(() => undefined); // The next checkpoint says what is wrong.
      },
      Math.min(leaseTime / 3, LONGEST_TIMER),
    );
    try {
      await this.#follow(own, extent, onPage);
    } finally {
      clearInterval(renewal);
      this.#own = undefined;
    }
  }

  async #live(lease: Lease): Promise<void> {
    try {
      await this.own(lease, 'live');
    } finally {
      await this.#release(lease);
    }
  }

  async #follow(own: Ownership, extent: Extent, onPage: (own: Ownership) => void): Promise<void> {
    const { source } = this.#parts;
    const { batchSize } = this.#definition.options;
    const work = { parts: this.#parts, definition: this.#definition, own };
    const pages = new PageHandler(work);
    let events: readonly StoredEvent[] = [];
    let at = 0;
    /** Read up to here; the checkpoint is behind it while events are left, and over pages that hold nothing. */
    let read = own.cursor;
    while (!own.stopping()) {
      own.signal.throwIfAborted();
      if (extent === 'live' && (await this.#paused())) return;
      await runDueLetters(work);
      if (at < events.length) {
        at = await pages.handle(events, at, read!);
        this.trouble = undefined;
        onPage(own);
        continue;
      }
      const page = await source.pull(read, batchSize, this.#definition.eventNames);
      events = this.#mine(page.events, own);
      at = 0;
      const advanced = page.cursor !== read;
      read = page.cursor;
      if (events.length > 0) continue;
      if (read !== own.cursor && (page.atHead || !advanced || Date.now() - own.progressAt > SKIMMING)) {
        await own.commit({ cursor: read });
        this.trouble = undefined;
        onPage(own);
      }
      if (advanced) continue;
      if (extent === 'head') return;
      own.progressAt = Date.now();
      await this.#rest(Math.min(POLL, await untilNextDue(work)), (time, signal) => source.changed(time, signal));
      // A checkpoint would be refused, but only after the handlers of its page.
      if ((await this.#record())?.epoch !== own.lease.epoch) throw leaseLost(this.key);
    }
  }

  async #claim(): Promise<Lease | undefined> {
    const { processors, lease } = this.#parts.store;
    if (await this.#paused()) return undefined;
    const haltedBy = (await this.#record())?.haltedBy;
    if (haltedBy === undefined) return processors.claim(this.key, { owner: this.#parts.owner, lease });
    if (this.halted === undefined)
      this.#halt(new ProcessorHaltedError(this.key.processor, this.key.partition, haltedBy));
    return undefined;
  }

  async #release(lease: Lease): Promise<void> {
    try {
      await this.#parts.store.processors.release(lease);
    } catch {
      // Then it expires.
    }
    this.#parts.advanced.notify();
  }

  async #record(): Promise<PartitionRecord | undefined> {
    const records = await this.#parts.store.processors.partitions(this.key.processor);
    return records.find((record) => record.partition === this.key.partition);
  }

  async #paused(): Promise<boolean> {
    return (await this.#parts.store.processors.find(this.key.processor))?.paused === true;
  }

  #mine(events: readonly StoredEvent[], own: Ownership): readonly StoredEvent[] {
    if (this.#definition.options.partitions === 1) return events;
    const { partition } = this.key;
    return events.filter((stored) => partitionOf(this.#parts, this.#definition, stored, own) === partition);
  }

  #halt(error: ProcessorHaltedError): void {
    this.trouble = error.message;
    this.halted = error;
    this.#parts.logger.error(error.message, { ...this.key });
    this.onHalt(error);
    this.#parts.advanced.notify();
  }

  #lost(own: Ownership): void {
    own.cancel(leaseLost(this.key));
    this.wake();
  }

  #report(error: unknown): void {
    if (error instanceof LeaseLostError) {
      this.#parts.logger.warn('A partition was taken over; its transaction is rolled back.', { ...this.key });
    } else if (error instanceof ProcessorHaltedError) {
      this.#halt(error);
    } else {
      this.trouble = messageOf(error);
      this.#parts.logger.error(`A processor cannot go on and tries again: ${this.trouble}`, { ...this.key });
    }
  }

  async #rest(
    milliseconds: number,
    wait = (time: number, signal: AbortSignal): Promise<void> => new Signal().wait(time, signal),
  ): Promise<void> {
    if (this.#stopped) return;
    this.#resting = new AbortController();
    await wait(milliseconds, this.#resting.signal);
    this.#resting = undefined;
  }
}

function leaseLost({ processor, partition }: PartitionKey): LeaseLostError {
  return new LeaseLostError(`partition ${partition} of ${processor}`);
}

function waitAfter(error: unknown, failures: number): number {
  if (error instanceof LeaseLostError || error instanceof ProcessorHaltedError) return POLL;
  if (error instanceof UnreadableEventError) return BACKOFF;
  return Math.min(BACKOFF, 100 * 2 ** failures) * (1 + Math.random() * 0.5);
}
