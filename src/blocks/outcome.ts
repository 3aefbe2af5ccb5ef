import type { Awaitable, Duration } from '../message/types.ts';
import { milliseconds } from '../message/duration.ts';

declare const outcome: unique symbol;

/** What a handler may return instead of nothing. Made by `skip`, `park`, `retryAfter`. */
export interface Outcome {
  readonly [outcome]: 'skip' | 'park' | 'retry';
}
/** What a handler of events returns. */
export type HandlerResult = Awaitable<void | Outcome>;

/** An outcome as the loops read it. */
export type Decision =
  | { readonly kind: 'skip'; readonly why: string }
  | { readonly kind: 'park'; readonly why: string }
  | { readonly kind: 'retry'; readonly why: string; readonly delay: number };

const decisions = new WeakMap<object, Decision>();

/** The event is done without effect. Logged at debug level with its reason. */
export function skip(why: string): Outcome {
  return make({ kind: 'skip', why });
}

/** The event becomes a dead letter at once; later events of its sequence wait behind it. Under synchronous delivery it fails the command. */
export function park(why: string): Outcome {
  return make({ kind: 'park', why });
}

/** This was an attempt; the next one is made after `delay`. Under synchronous delivery it fails the command. */
export function retryAfter(delay: Duration, why = 'the handler asked for a later attempt'): Outcome {
  return make({ kind: 'retry', why, delay: milliseconds(delay) });
}

/** What the loops do with a handler's result; `undefined` for nothing special. */
export function decisionOf(result: unknown): Decision | undefined {
  return typeof result === 'object' && result !== null ? decisions.get(result) : undefined;
}

function make(decision: Decision): Outcome {
  const made = Object.freeze({ ...decision });
  decisions.set(made, decision);
  return made as unknown as Outcome;
}
