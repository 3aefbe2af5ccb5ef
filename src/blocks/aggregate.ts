import { UsageError } from '../errors/usage-error.ts';
import type { Event } from '../message/types.ts';

declare const block: unique symbol;

/** What runs an aggregate: it knows its stream and decides what an emitted event becomes. */
export interface AggregateHost {
  readonly id: string;
  version: number;
  emit(aggregate: Aggregate, event: Event): void;
}

/**
 * The base of aggregates: the state of one stream, and the rules of what may happen to it. Command handlers decide and
 * `emit`; appliers change fields, and nothing else does. Fields hold the state; objects in them are the aggregate's own.
 *
 * `static aggregateType` is the durable name of the type; `static snapshotVersion` (1) tells snapshots of other shapes apart.
 */
export abstract class Aggregate {
  declare readonly [block]: 'aggregate';
  #host: AggregateHost | undefined;

  /** The id of this aggregate, unique within tenant and type. */
  get id(): string {
    return this.#hosted().id;
  }

  /** How many events it consists of, those emitted by the running command included. */
  get version(): number {
    return this.#hosted().version;
  }

  /**
   * Records that `event` happened: applies it at once, and stores it once the command handler has returned.
   * If its applier throws, `emit` throws the same error, and the event is neither queued nor counted.
   * @throws UnknownEventError if nobody could read the event back.
   * @throws NotStorableError if its payload holds what no store could keep.
   */
  protected emit(event: Event): void {
    this.#hosted().emit(this, event);
  }

  /** What a snapshot keeps; left out: the fields. Needed where state is `#private`. Called only to store one. */
  snapshot?(): unknown;
  /** Takes back what `snapshot()` returned. */
  restore?(snapshot: never): void;

  #hosted(): AggregateHost {
    if (this.#host === undefined)
      throw new UsageError(
        `${this.constructor.name} has no id, version or emit before a command reaches it: do not use them in its constructor.`,
      );
    return this.#host;
  }

  /** @internal Puts an instance under a host. */
  static host(aggregate: Aggregate, host: AggregateHost): void {
    aggregate.#host = host;
  }
}
