import type { AggregateDefinition } from '../aggregate/definition.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import { decode } from '../message/codec.ts';
import { copyOf } from '../message/plain.ts';
import type { RecordedHeader, StoredEvent } from '../message/recorded-event.ts';
import type { Class } from '../message/types.ts';
import type { EventStore } from '../ports/event-store.ts';

/** An event as it was stored: under the name and version it was written with, not upcast. `data` is a copy. */
export interface RecordedEvent extends RecordedHeader {
  readonly data: unknown;
}

/** A page of events, and how far it covers: read on after `position`. */
export interface EventPage<Position> {
  readonly events: readonly RecordedEvent[];
  readonly position: Position;
}

/** Which stream. */
export interface StreamRef {
  readonly type: Class<Aggregate>;
  readonly id: string;
  /** Default `''`. */
  readonly tenant?: string;
}

/** The log, to read. */
export interface EventLog {
  /** Events of one stream with sequences `from` (1) to `to`, both included, at most `limit` (500). The page's position is the last sequence it covers. */
  readStream(
    stream: StreamRef,
    options?: { readonly from?: number; readonly to?: number; readonly limit?: number },
  ): Promise<EventPage<number>>;
  /** Events of all streams with positions above `after` (0), at most `limit` (500). */
  read(options?: { readonly after?: bigint; readonly limit?: number }): Promise<EventPage<bigint>>;
  /** The highest position that can be read; 0 for an empty log. */
  head(): Promise<bigint>;
}

/** Reads the log through the store. */
export class Log implements EventLog {
  readonly #events: EventStore;
  readonly #definition: (type: Class<Aggregate>) => AggregateDefinition;

  constructor(events: EventStore, definition: (type: Class<Aggregate>) => AggregateDefinition) {
    this.#events = events;
    this.#definition = definition;
  }

  async readStream(
    { type, id, tenant = '' }: StreamRef,
    { from = 1, to = Number.MAX_SAFE_INTEGER, limit = 500 }: { from?: number; to?: number; limit?: number } = {},
  ): Promise<EventPage<number>> {
    const stream = { tenant, type: this.#definition(type).type, id };
    const [page] = await this.#events.load([{ stream, after: from - 1, limit }]);
    const events = page!.events.filter(({ sequence }) => sequence <= to).map(recorded);
    return { events, position: events.at(-1)?.sequence ?? from - 1 };
  }

  async read({ after = 0n, limit = 500 }: { after?: bigint; limit?: number } = {}): Promise<EventPage<bigint>> {
    const { events, position } = await this.#events.read({ after, limit });
    return { events: events.map(recorded), position };
  }

  async head(): Promise<bigint> {
    return this.#events.head();
  }
}

function recorded({ data, types, ...header }: StoredEvent): RecordedEvent {
  // Copies, since a store in memory gives its own to everybody.
  const timestamp = new Date(header.timestamp);
  return { ...header, timestamp, data: typeof data === 'object' ? copyOf(data) : decode(data, types) };
}
