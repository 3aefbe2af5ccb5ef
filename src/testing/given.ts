import { UsageError } from '../errors/usage-error.ts';
import { kindOf } from '../message/message.ts';
import type { Event } from '../message/types.ts';
import { print } from './print.ts';

/** What a given event's handler is told about it. Whatever is left out is filled in. */
export interface GivenHeader {
  /** Left out: `'aggregate-1'`. */
  readonly aggregateId?: string;
  /** Left out: `'Aggregate'`. */
  readonly aggregateType?: string;
  /** Left out: `''`. */
  readonly tenant?: string;
  /** Place in the stream; of several events that of the first. Left out: the next one of that stream. */
  readonly sequence?: number;
  /** Left out: what the scenario's clock shows. */
  readonly timestamp?: Date;
  /** Left out: `'event-1'`, `'event-2'`, … */
  readonly eventId?: string;
  /** Left out: `'correlation-1'`, as if one command had caused all. */
  readonly correlationId?: string;
  /** Left out: `'command-1'`. */
  readonly causationId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which call of the handler it is. Left out: 1. */
  readonly attempt?: number;
  /** In a replay `once` and `dispatch` run nothing, and give the results that are kept. Left out: false. */
  readonly replaying?: boolean;
}

/** What `given` may be called with. */
export type GivenArgument = string | GivenHeader | Event;

/** Tells the parts of a `given` apart. */
export function partsOf(all: readonly GivenArgument[]): {
  readonly header: GivenHeader;
  readonly events: readonly Event[];
} {
  const [first, ...rest] = all;
  if (typeof first === 'string') return { header: { aggregateId: first }, events: rest as Event[] };
  if (first === undefined || isMessage(first)) return { header: {}, events: all as Event[] };
  return { header: first, events: rest as Event[] };
}

/** @throws UsageError for what no log could hold. */
export function checkGiven({ header, events }: ReturnType<typeof partsOf>): void {
  for (const event of events)
    if (!isMessage(event) || kindOf(Object.getPrototypeOf(event).constructor) !== 'event')
      throw new UsageError(`.given() takes events, and ${print(event)} is none.`);
  if (header.eventId !== undefined && events.length > 1)
    throw new UsageError(`.given() got ${events.length} events for the id '${header.eventId}': give each its own.`);
  if (header.aggregateId === '') throw new UsageError('.given() got an empty aggregateId.');
  for (const [name, count] of [
    ['sequence', header.sequence],
    ['attempt', header.attempt],
  ] as const)
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1))
      throw new UsageError(`.given() got the ${name} ${String(count)}: it counts from 1.`);
}

function isMessage(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && kindOf(Object.getPrototypeOf(value)?.constructor) !== undefined;
}
