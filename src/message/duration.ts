import { UsageError } from '../errors/usage-error.ts';
import type { Duration } from './types.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest time that a timer can be set for, in milliseconds, about 24 days: one set for longer would fire at once. */
export const LONGEST_TIMER = 0x7fffffff;

/**
 * A duration in milliseconds; a number is milliseconds already. Fractions are allowed.
 * @throws UsageError for a negative or infinite span, NaN, or an unknown unit.
 */
export function milliseconds(duration: Duration): number {
  const span = typeof duration === 'number' ? duration : parse(duration);
  if (Number.isFinite(span) && span >= 0) return span;
  const given = typeof duration === 'string' ? `'${duration}'` : String(duration);
  throw new UsageError(`${given} is no duration: write '500ms', '30s', '10m', '2h', '1d', or milliseconds from 0 up.`);
}

function parse(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return amount === undefined || unit === undefined ? Number.NaN : Number(amount) * UNITS[unit]!;
}
