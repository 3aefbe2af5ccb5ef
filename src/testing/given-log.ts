import { encode } from '../message/codec.ts';
import { messageClassOf } from '../message/message.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Event } from '../message/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { GivenHeader } from './given.ts';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
const logs = new WeakMap<object, GivenLog>();

/** The log that given events would lie in: it numbers them, and keeps them as text. */
export class GivenLog {
  #events = 0;
  readonly #versions = new Map<string, number>();

  /**
   * The log of one subject. A second scenario goes on where the first one ended: the subject remembers the first one's events,
   * and must not take new ones for them.
   */
  static of(subject: object): GivenLog {
    let log = logs.get(subject);
    if (log === undefined) logs.set(subject, (log = new GivenLog()));
    return log;
  }

  /**
   * The event as a store would give it back.
   * @throws NotStorableError
   */
  record(event: Event, header: GivenHeader, clock: Clock): StoredEvent {
    const { messageName: name, version } = messageClassOf(event);
    const { data, types } = encode(event);
    const stream = {
      tenant: header.tenant ?? '',
      type: header.aggregateType ?? 'Aggregate',
      id: header.aggregateId ?? 'aggregate-1',
    };
    const key = JSON.stringify(stream);
    const sequence = header.sequence ?? (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, sequence);
    this.#events += 1;
    return {
      stream,
      sequence,
      position: BigInt(this.#events),
      eventId: header.eventId ?? `event-${this.#events}`,
      name,
      version,
      timestamp: header.timestamp ?? clock.now(),
      correlationId: header.correlationId ?? 'correlation-1',
      causationId: header.causationId ?? 'command-1',
      headers: header.headers === undefined ? NO_HEADERS : Object.freeze({ ...header.headers }),
      data,
      types,
    };
  }
}
