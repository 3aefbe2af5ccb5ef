/** Names one stream of events: the tenant (`''` for none), the durable name of the aggregate type, the aggregate's id. */
export interface StreamId {
  readonly tenant: string;
  readonly type: string;
  readonly id: string;
}

/** Who caused a message, and what travels with it. */
export interface Metadata {
  /** Ties together everything that one root command caused. */
  readonly correlationId: string;
  /** For an event: the id of its command. For a command that a handler dispatched: the id of the event. */
  readonly causationId: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** An event on its way into the log. */
export interface NewEvent extends Metadata {
  readonly eventId: string;
  readonly name: string;
  readonly version: number;
  /** Its own enumerable properties are the payload: storable, copied and frozen. The event's instance serves. */
  readonly payload: object;
  readonly timestamp: Date;
}

/** Where and when an event was recorded. */
export interface RecordedHeader extends Metadata {
  /** Place in the log: unique, increasing, not necessarily without holes. */
  readonly position: bigint;
  readonly stream: StreamId;
  /** Place in its stream: 1, 2, 3 … */
  readonly sequence: number;
  readonly eventId: string;
  /** The stored name. */
  readonly name: string;
  readonly version: number;
  readonly timestamp: Date;
}

/** An event as a store gives it back: raw, not upcast, not decoded. */
export interface StoredEvent extends RecordedHeader {
  /**
   * JSON text with its special values beside it in `types`; or, from a store that keeps objects, the payload: the event's
   * instance itself where it is frozen in every part, else a plain copy for this reader alone.
   */
  readonly data: string | object;
  readonly types: string | null;
}
