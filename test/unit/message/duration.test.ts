import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors/usage-error.ts';
import { milliseconds } from '../../../src/message/duration.ts';
import type { Duration } from '../../../src/message/types.ts';

describe('milliseconds', () => {
  it('understands every unit, fractions, and bare milliseconds', () => {
    const durations: readonly Duration[] = ['500ms', '30s', '10m', '2h', '1d', '1.5s', '0s', 0, 250, 0.5];
    expect(durations.map(milliseconds)).toEqual([500, 30_000, 600_000, 7_200_000, 86_400_000, 1_500, 0, 0, 250, 0.5]);
  });

  it('refuses what is no duration, by its value', () => {
    const wrong = [
      Number.NaN,
      -1,
      Infinity,
      '5',
      '5 s',
      '5sec',
      '-5s',
      '',
      's',
      '0x5s',
      '5S',
      ' 5s',
      '5s ',
      '5s\n',
      '1e3s',
    ];
    for (const value of [...wrong, '9'.repeat(400) + 'd', null, undefined, {}]) {
      expect(() => milliseconds(value as Duration)).toThrow(UsageError);
    }
    expect(() => milliseconds('5 parsecs' as Duration)).toThrow("'5 parsecs' is no duration");
    expect(() => milliseconds(-1)).toThrow('-1 is no duration');
    expect(() => milliseconds(Number.NaN)).toThrow('NaN is no duration');
  });
});
