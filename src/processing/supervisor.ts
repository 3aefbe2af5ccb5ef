import type { EventProcessor } from '../blocks/event-processor.ts';
import { Busy } from '../context/busy.ts';
import { KeyedLock } from '../context/keyed-lock.ts';
import { currentScope } from '../context/scope.ts';
import { CatchUpTimeoutError } from '../errors/catch-up-timeout-error.ts';
import { ConfigurationError } from '../errors/configuration-error.ts';
import { ConsistencyTimeoutError } from '../errors/consistency-timeout-error.ts';
import { LifecycleError } from '../errors/lifecycle-error.ts';
import { LONGEST_TIMER, milliseconds } from '../message/duration.ts';
import type { Class, Duration } from '../message/types.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { ProcessorRecord } from '../ports/processor-store.ts';
import { changeDelivery } from './change-delivery.ts';
import { processorName, type ProcessorDefinition } from './definition.ts';
import type { ProcessingParts } from './parts.ts';
import type { PartitionLoop } from './partition-loop.ts';
import { refuseWithoutReset, replay, replaySynchronous, type ReplayOptions } from './replay.ts';
import { CheckpointWatch, Run, type ProcessorRun } from './run.ts';
import { statusOf, type PartitionStatus } from './status.ts';

/** What can be asked of processors, and done with them. */
export interface Processors {
  /** How far each partition of each registered asynchronous processor is, who has it, and what is wrong. */
  status(): Promise<readonly PartitionStatus[]>;
  /** Stops a processor in every process, after the batch in hand; stored, so it survives a restart. */
  pause(processor: Class<EventProcessor>): Promise<void>;
  /** Lets a paused or halted processor go on. */
  resume(processor: Class<EventProcessor>): Promise<void>;
  /**
   * Builds again what a processor has built: `reset()`, then all events up to the head, in this process. Resolves at the head.
   * @throws ConfigurationError if it has no `reset()`.
   */
  replay(processor: Class<EventProcessor>, options?: ReplayOptions): Promise<void>;
}

/** All processors of one application. */
export class Supervisor implements Processors {
  readonly #parts: ProcessingParts;
  readonly #events: EventStore;
  readonly #definitions: ReadonlyMap<string, ProcessorDefinition>;
  readonly #runs = new Set<Run>();
  readonly #watch: CheckpointWatch;
  readonly #replays = new Busy();
  /** Replays of one processor run in turn: two would handle the same events at the same time. */
  readonly #replaying = new KeyedLock();
  readonly #stopping = new AbortController();
  readonly #deadline = new AbortController();

  constructor(parts: ProcessingParts, events: EventStore, definitions: ReadonlyMap<string, ProcessorDefinition>) {
    this.#parts = parts;
    this.#events = events;
    this.#definitions = definitions;
    this.#watch = new CheckpointWatch(parts);
  }

  /**
   * Compares what is registered with what the store remembers, and remembers what is new.
   * @throws ConfigurationError if a processor's delivery changed and nothing says where it goes on.
   */
  async start(): Promise<void> {
    const findings: string[] = [];
    const changed: ProcessorDefinition[] = [];
    const { processors } = this.#parts.store;
    for (const definition of this.#definitions.values()) {
      const { name, delivery, options } = definition;
      const record = await processors.find(name);
      if (record === undefined) {
        await processors.save({ processor: name, delivery, partitions: options.partitions, paused: false });
        continue;
      }
      if (record.delivery !== delivery) {
        if (options.startFrom === undefined) findings.push(deliveryChanged(record, definition));
        else changed.push(definition);
      } else if (record.partitions !== options.partitions)
        findings.push(
          `${name} has ${record.partitions} partitions in this store and is registered with ${options.partitions}: the number cannot change yet, so register ${record.partitions}.`,
        );
    }
    if (findings.length > 0) throw new ConfigurationError(findings, 'The application cannot start');
    for (const definition of changed)
      await changeDelivery(this.#parts, this.#events, definition, this.#stopping.signal);
  }

  async run(...types: readonly Class<EventProcessor>[]): Promise<ProcessorRun> {
    const definitions =
      types.length === 0
        ? [...this.#definitions.values()].filter(({ delivery }) => delivery === 'async')
        : types.map((type) => this.#asynchronous(type));
    const run = new Run(this.#parts, [...new Set(definitions)], (stopped) => this.#runs.delete(stopped));
    this.#runs.add(run);
    await run.started();
    return run;
  }

  /** Stops all runs, and replays, which stay to be gone on with. */
  async stop(timeout: Duration): Promise<void> {
    this.#stopping.abort(new LifecycleError('The application is shutting down.'));
    const deadline = setTimeout(() => this.#deadline.abort(), Math.min(milliseconds(timeout), LONGEST_TIMER));
    await Promise.all([...this.#runs].map((run) => run.stop({ timeout })));
    await this.#replays.idle();
    clearTimeout(deadline);
  }

  async settled(options: { readonly timeout?: Duration; readonly signal?: AbortSignal } = {}): Promise<void> {
    const timeout = options.timeout === undefined ? Number.POSITIVE_INFINITY : milliseconds(options.timeout);
    const end = performance.now() + timeout;
    const names = [...this.#definitions.values()]
      .filter(({ delivery }) => delivery === 'async')
      .map(({ name }) => name);
    for (;;) {
      const target = await this.#parts.source.head();
      const left = Math.max(0, end - performance.now());
      const behind = await this.#watch.wait(names, target, { timeout: left, halted: 'throw', signal: options.signal });
      if (behind.length > 0) throw new CatchUpTimeoutError(timeout, behind);
      // In this order: what a letter's handler dispatched is in the log before the letter is gone.
      const due = await this.#due(names);
      if ((await this.#parts.source.head()) !== target) continue;
      if (due.length === 0) return;
      if (performance.now() >= end) throw new CatchUpTimeoutError(timeout, due);
      await this.#parts.advanced.wait(20, options.signal);
      options.signal?.throwIfAborted();
    }
  }

  /** @throws LifecycleError for a processor that is not registered. */
  check(types: readonly Class<EventProcessor>[]): void {
    for (const type of types) this.#definition(type);
  }

  /** Read your own writes: see `DispatchOptions.waitFor`. */
  async wait(
    types: readonly Class<EventProcessor>[],
    position: bigint,
    options: {
      readonly timeout: number;
      readonly within: string | undefined;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<void> {
    for (const type of types) {
      const { name, delivery } = this.#definition(type);
      // A synchronous processor is done already; one that dispatches and waits for itself would wait for ever.
      if (delivery === 'sync' || name === options.within) continue;
      const behind = await this.#watch.wait([name], String(position), { ...options, halted: 'wait' });
      if (behind.length > 0) throw new ConsistencyTimeoutError(name, position, options.timeout);
    }
  }

  async status(): Promise<readonly PartitionStatus[]> {
    const loops = [...this.#runs].flatMap((run) => run.loops);
    const all: PartitionStatus[] = [];
    for (const definition of this.#definitions.values())
      if (definition.delivery === 'async') all.push(...(await statusOf(this.#parts, definition, loops)));
    return all;
  }

  async pause(type: Class<EventProcessor>): Promise<void> {
    const { name } = this.#asynchronous(type);
    // Loops of this process let go of their partitions before this resolves; then they find it paused.
    const suspended = Promise.all(this.#loopsOf(name).map((loop) => loop.suspend()));
    const scope = currentScope();
    // A handler that pauses its own processor would wait for itself.
    if (scope?.processor !== name) await suspended;
    const goOn = async (): Promise<void> => {
      for (const end of await suspended) end();
    };
    const store = async (): Promise<void> => {
      try {
        await this.#parts.store.processors.setPaused(name, true);
      } finally {
        void goOn();
      }
    };
    const stored = store();
    // Nor can it wait for a write that comes after its own transaction.
    if (scope?.processor !== name) await stored;
    else stored.catch((error: unknown) => this.#parts.logger.error(`${name} could not be paused: ${String(error)}`));
  }

  async resume(type: Class<EventProcessor>): Promise<void> {
    const { name } = this.#asynchronous(type);
    await this.#parts.store.processors.clearHalt(name);
    await this.#parts.store.processors.setPaused(name, false);
    for (const loop of this.#loopsOf(name)) loop.wake();
  }

  async replay(type: Class<EventProcessor>, options: ReplayOptions = {}): Promise<void> {
    await this.#replays.add(this.#replay(this.#definition(type), options));
  }

  async #replay(definition: ProcessorDefinition, options: ReplayOptions): Promise<void> {
    const { name, delivery } = definition;
    refuseWithoutReset(definition);
    if (currentScope()?.processor === name)
      throw new LifecycleError(`${name} cannot be replayed by a handler of its own: the replay would wait for it.`);
    const signal =
      options.signal === undefined ? this.#stopping.signal : AbortSignal.any([options.signal, this.#stopping.signal]);
    if (delivery === 'sync') return replaySynchronous(this.#parts, this.#events, definition, { ...options, signal });
    await this.#replaying.acquire(name, signal);
    try {
      await this.#replayAlone(definition, { ...options, signal });
    } finally {
      this.#replaying.release(name);
    }
  }

  async #replayAlone(definition: ProcessorDefinition, options: ReplayOptions): Promise<void> {
    // What a handler of this process still does must not come after reset(); another process loses its lease.
    const loops = await Promise.all(this.#loopsOf(definition.name).map((loop) => loop.suspend()));
    try {
      await replay(this.#parts, definition, { ...options, deadline: this.#deadline.signal });
    } finally {
      for (const goOn of loops) goOn();
    }
  }

  async #due(names: readonly string[]): Promise<string[]> {
    const { processors } = this.#parts.store;
    const due: string[] = [];
    const now = await processors.now();
    for (const name of names)
      for (const { partition } of await processors.partitions(name)) {
        const next = await processors.letters.nextDue(name, partition);
        if (next !== undefined && next.getTime() <= now.getTime())
          due.push(`${name} (partition ${partition}) has letters due`);
      }
    return due;
  }

  #loopsOf(name: string): readonly PartitionLoop[] {
    return [...this.#runs].flatMap(({ loops }) => loops).filter(({ key }) => key.processor === name);
  }

  #definition(type: Class<EventProcessor>): ProcessorDefinition {
    const name = processorName(type);
    const definition = this.#definitions.get(name);
    if (definition === undefined || definition.class !== (type as unknown))
      throw new LifecycleError(`${name} is not registered here: .registerEventProcessor(${type.name}) first.`);
    return definition;
  }

  #asynchronous(type: Class<EventProcessor>): ProcessorDefinition {
    const definition = this.#definition(type);
    if (definition.delivery === 'sync')
      throw new LifecycleError(
        `${definition.name} is synchronous: it runs inside dispatch, there is nothing to run, pause or resume. Register it with { delivery: 'async' } for that.`,
      );
    return definition;
  }
}

function deliveryChanged(
  { processor, delivery: before }: ProcessorRecord,
  { delivery: now }: ProcessorDefinition,
): string {
  return before === 'sync'
    ? `${processor} ran synchronously in this store and is now asynchronous: it has no checkpoint, so it would handle everything again. Register it with startFrom: 'end' if what it built is up to date, or startFrom: 'beginning' to build it again.`
    : `${processor} ran asynchronously in this store and is now ${now === 'sync' ? 'synchronous' : now}: what lies after its checkpoint would be left out. Register it with startFrom: 'beginning' to build it again, or startFrom: 'end' if what it built is up to date.`;
}
