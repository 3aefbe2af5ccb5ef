import { inspect } from 'node:util';
import { EffectUnknownError } from '../errors/effect-unknown-error.ts';
import { ResultGoneError } from '../errors/result-gone-error.ts';
import { UnreadableEventError } from '../errors/unreadable-event-error.ts';
import { UnrecoverableError } from '../errors/unrecoverable-error.ts';
import type { Decision } from '../blocks/outcome.ts';
import type { ResolvedOptions } from './options.ts';

/** Waits for attempts made in place, in milliseconds, all of one event together: a longer one would hold up its neighbours. */
export const IN_PLACE = 2_000;

/** One failed call of a handler: it threw, or it returned `park` or `retryAfter`. */
export type Failure = { readonly error: unknown } | { readonly decision: Decision };

/** What follows from a failure. */
export type Verdict =
  /** Try again: in place if the wait fits there, else by a letter with a due time. */
  | { readonly kind: 'again'; readonly delay: number }
  /** No attempt is left, or none makes sense. */
  | { readonly kind: 'park' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'halt' };

/**
 * The one policy for failures of asynchronous handlers. `attempt` counts the calls so far, the failed one included. Jitter only
 * lengthens a wait, so that the declared backoff is a lower bound.
 */
export function judge(
  failure: Failure,
  attempt: number,
  options: ResolvedOptions,
  random: () => number = Math.random,
): Verdict {
  const exhausted: Verdict = { kind: options.onExhausted };
  if ('decision' in failure) {
    if (failure.decision.kind === 'park') return { kind: 'park' };
    if (failure.decision.kind === 'retry' && attempt < options.attempts)
      return { kind: 'again', delay: failure.decision.delay };
    return exhausted;
  }
  const { error } = failure;
  // Another attempt cannot change these, and nothing may be skipped for them: somebody has to look.
  if (error instanceof EffectUnknownError || error instanceof UnreadableEventError || error instanceof ResultGoneError)
    return { kind: 'park' };
  if (error instanceof UnrecoverableError || attempt >= options.attempts || !isWorthRetrying(error, options))
    return exhausted;
  const { initial, factor, max } = options.backoff;
  const wait = Math.min(max, initial * factor ** (attempt - 1));
  return { kind: 'again', delay: Math.round(wait * (1 + random() * 0.5)) };
}

/** A `when` that throws has not said no. */
function isWorthRetrying(error: unknown, { worthRetrying }: ResolvedOptions): boolean {
  try {
    return worthRetrying(error);
  } catch {
    return true;
  }
}

const CAUSE_LIMIT = 16 * 1024;

/** What a letter keeps of a failure. Handlers may throw anything, so nothing that is asked of it may throw here. */
export function describeFailure(failure: Failure): { readonly errorName: string; readonly cause: string } {
  if ('decision' in failure) return { errorName: failure.decision.kind, cause: cut(failure.decision.why) };
  const { error } = failure;
  try {
    if (error instanceof Error) return { errorName: nameOf(error), cause: cut(withCauses(error)) };
    return { errorName: typeof error, cause: cut(typeof error === 'string' ? error : inspect(error)) };
  } catch {
    return { errorName: typeof error, cause: 'something was thrown that cannot be looked at' };
  }
}

/** For logs. */
export function failureFields(
  processor: string,
  about: { readonly position: bigint; readonly name: string },
  failure: Failure,
  attempts: number,
): Readonly<Record<string, unknown>> {
  return {
    processor,
    position: String(about.position),
    event: about.name,
    attempts,
    error: describeFailure(failure).errorName,
  };
}

/** Why a processor is halted: at which event, and the first line of what it failed with. */
export function haltReason(
  { position, name }: { readonly position: bigint; readonly name: string },
  failure: Failure,
  attempts: number,
): string {
  const [line = ''] = describeFailure(failure).cause.split('\n', 1);
  return `${name} at position ${position} failed ${attempts === 1 ? 'once' : `${attempts} times`}: ${line}`;
}

/** Some set the name of an error to what is no text. */
function nameOf({ name }: { readonly name: unknown }): string {
  return typeof name === 'string' ? name : 'Error';
}

function withCauses(error: Error): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  for (let at: unknown = error; at !== undefined && !seen.has(at); at = at instanceof Error ? at.cause : undefined) {
    seen.add(at);
    texts.push(at instanceof Error ? (at.stack ?? `${at.name}: ${at.message}`) : inspect(at));
  }
  return texts.join('\ncaused by ');
}

/** At most 16 KiB of a text. */
export function cut(text: string): string {
  return Buffer.byteLength(text) <= CAUSE_LIMIT
    ? text
    : `${Buffer.from(text)
        .subarray(0, CAUSE_LIMIT - 4)
        .toString()}…`;
}
