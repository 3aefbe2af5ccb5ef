import { isShareable } from '../../message/message.ts';
import { copyOf } from '../../message/plain.ts';
import type { NewEvent, StoredEvent, StreamId } from '../../message/recorded-event.ts';
import { IdSet } from './id-set.ts';

/** The events of one stream, in order. */
export interface Stream {
  readonly id: StreamId;
  readonly events: StoredEvent[];
}

/**
 * Events in the order of the log and by stream. Append-only but for `truncate`, so what was committed lies below one
 * number, and what the open unit appended above it.
 */
export class Log {
  readonly events: StoredEvent[] = [];
  /** How many events are committed: the position of the last one. */
  committed = 0;
  readonly #ids = new IdSet();
  #lastTenant: string | undefined;
  #lastType: string | undefined;
  #lastStreams: Map<string, Stream> | undefined;
  #lastId: StreamId | undefined;
  #last: Stream | undefined;
  readonly #streams = new Map<string, Map<string, Map<string, Stream>>>();
  /** Events whose payload somebody could change: each reader gets a copy of its own. */
  readonly #unshared = new Set<StoredEvent>();

  get length(): number {
    return this.events.length;
  }

  stream(id: StreamId): Stream | undefined {
    // A command loads and appends with one and the same id.
    if (id !== this.#lastId) {
      this.#last = this.#streamsOf(id)?.get(id.id);
      this.#lastId = this.#last && id;
    }
    return this.#last;
  }

  #streamsOf({ tenant, type }: StreamId): Map<string, Stream> | undefined {
    if (type !== this.#lastType || tenant !== this.#lastTenant) {
      const streams = this.#streams.get(tenant)?.get(type);
      if (streams === undefined) return undefined;
      this.#lastStreams = streams;
      this.#lastType = type;
      this.#lastTenant = tenant;
    }
    return this.#lastStreams;
  }

  *streams(): Generator<Stream> {
    for (const types of this.#streams.values()) for (const ids of types.values()) yield* ids.values();
  }

  /** The stream, made where it is missing. */
  open(id: StreamId): Stream {
    const known = this.stream(id);
    if (known !== undefined) return known;
    let types = this.#streams.get(id.tenant);
    if (types === undefined) this.#streams.set(id.tenant, (types = new Map()));
    let ids = types.get(id.type);
    if (ids === undefined) types.set(id.type, (ids = new Map()));
    const stream = { id: Object.freeze({ tenant: id.tenant, type: id.type, id: id.id }), events: [] };
    ids.set(id.id, stream);
    return stream;
  }

  /** Takes the ids of new events; the first that is taken already is given back, and then none is kept. */
  reserve(events: readonly NewEvent[]): string | undefined {
    for (let i = 0; i < events.length; i += 1) {
      const { eventId } = events[i] as NewEvent;
      if (this.#ids.add(eventId)) continue;
      this.#release(events, i);
      return eventId;
    }
    return undefined;
  }

  /** Adds events whose ids are reserved: all of them, or none if a payload cannot be kept. */
  addAll(stream: Stream, events: readonly NewEvent[], positions: bigint[]): void {
    const { length } = this.events;
    try {
      for (let i = 0; i < events.length; i += 1) positions.push(this.#add(stream, events[i] as NewEvent));
    } catch (error) {
      this.#release(events, events.length);
      this.#pop(length);
      throw error;
    }
  }

  #add(stream: Stream, event: NewEvent): bigint {
    const position = BigInt(this.events.length + 1);
    const shareable = isShareable(event.payload);
    const stored: StoredEvent = {
      // What loading an aggregate looks at comes first, so that it shares a cache line.
      sequence: stream.events.length + 1,
      name: event.name,
      version: event.version,
      data: shareable ? event.payload : copyOf(event.payload),
      types: null,
      position,
      stream: stream.id,
      eventId: event.eventId,
      timestamp: event.timestamp,
      correlationId: event.correlationId,
      causationId: event.causationId,
      headers: event.headers,
    };
    if (!shareable) this.#unshared.add(stored);
    stream.events.push(stored);
    this.events.push(stored);
    return position;
  }

  commit(): void {
    this.committed = this.events.length;
  }

  /** Takes back all events but the first `length`. */
  truncate(length: number): void {
    this.#release(this.events, this.events.length, length);
    this.#pop(length);
  }

  /** Events as a reader may have them. */
  lend(events: StoredEvent[]): StoredEvent[] {
    if (this.#unshared.size === 0) return events;
    return events.map((event) =>
      this.#unshared.has(event) ? { ...event, data: copyOf(event.data as object) } : event,
    );
  }

  /** Gives back the ids of events from `start` to before `end`, last first. */
  #release(events: readonly { readonly eventId: string }[], end: number, start = 0): void {
    for (let i = end - 1; i >= start; i -= 1) this.#ids.delete((events[i] as NewEvent).eventId);
  }

  #pop(length: number): void {
    while (this.events.length > length) {
      const event = this.events.pop() as StoredEvent;
      this.stream(event.stream)?.events.pop();
      this.#unshared.delete(event);
    }
  }
}
