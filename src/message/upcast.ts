import { nameOf } from './message.ts';
import type { Class, Event, MessageStatics, PayloadOf } from './types.ts';

/** `N + 1`, for versions below a thousand. */
type Next<N extends number, A extends readonly 0[] = []> = A['length'] extends N
  ? [...A, 0]['length']
  : Next<N, [...A, 0]>;

/** One step from an old version of an event's payload to the next one. Made by `upcast`. */
export interface Upcaster {
  /** The event that it belongs to, under today's name. */
  readonly messageName: string;
  /** The version it takes; it gives the one after. */
  readonly from: number;
  /** Turns raw old data, as stored, into raw data of the next version. */
  readonly up: (old: never) => object;
}

/**
 * Says how payloads stored under version `from` become payloads of version `from + 1`. The steps of an event form a chain; the
 * last one must give today's payload, and the compiler sees to it. Raw data goes in and comes out: no class is built on the
 * way, `old` is the step's own to change, and nothing is checked against a schema. Stored events are never rewritten.
 * @throws UsageError if `type` is no message class. A chain with holes is refused by `build()`.
 */
export function upcast<E extends Event, V extends number, const F extends number, Old>(
  type: Class<E> & MessageStatics<string, V>,
  step: { readonly from: F; readonly up: (old: Old) => [Next<F>] extends [V] ? PayloadOf<E> : object },
): Upcaster {
  return { messageName: nameOf(type), from: step.from, up: step.up as (old: never) => object };
}

/** Whether a value was made by `upcast`. */
export function isUpcaster(value: unknown): value is Upcaster {
  const { messageName, from, up } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Upcaster>;
  return typeof messageName === 'string' && typeof from === 'number' && typeof up === 'function';
}
