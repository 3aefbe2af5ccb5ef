import { EffectUnknownError, ResultGoneError, UnrecoverableError } from 'interlock-cqrs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeFailure, judge } from '../../../src/processing/failure-policy.ts';
import { resolveOptions, type ProcessorOptions } from '../../../src/processing/options.ts';

function options(given: ProcessorOptions = {}): ReturnType<typeof resolveOptions> {
  const findings: string[] = [];
  const resolved = resolveOptions('p', given, 'async', findings);
  expect(findings).toEqual([]);
  return resolved;
}

const error = new Error('no');

describe('judge', () => {
  test('waits longer each time, jitter only lengthens, by half at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random) => {
          const verdict = judge({ error }, attempt, options(), () => random);
          const declared = Math.min(600_000, 50 * 3 ** (attempt - 1));
          if (verdict.kind !== 'again') throw new Error('it gave up');
          expect(verdict.delay).toBeGreaterThanOrEqual(declared);
          expect(verdict.delay).toBeLessThanOrEqual(Math.ceil(declared * 1.5));
        },
      ),
    );
  });

  test('gives up after the last attempt, in the way that is declared', () => {
    for (const onExhausted of ['park', 'skip', 'halt'] as const) {
      expect(judge({ error }, 10, options({ onExhausted }))).toEqual({ kind: onExhausted });
      expect(judge({ error: new UnrecoverableError('x') }, 1, options({ onExhausted }))).toEqual({ kind: onExhausted });
    }
  });

  test('parks what no attempt can change, whatever is declared', () => {
    for (const hopeless of [new EffectUnknownError('p', 'k'), new ResultGoneError('p', 'it')])
      expect(judge({ error: hopeless }, 1, options({ onExhausted: 'skip' }))).toEqual({ kind: 'park' });
    const decision = { kind: 'park', why: 'x' } as const;
    expect(judge({ decision }, 1, options({ onExhausted: 'skip' }))).toEqual({ kind: 'park' });
  });

  test('never waits less than a long initial wait', () => {
    const verdict = judge({ error }, 1, options({ retry: { backoff: { initial: '1h' } } }), () => 0);
    expect(verdict).toEqual({ kind: 'again', delay: 3_600_000 });
  });
});

describe('resolveOptions', () => {
  test('tells all that makes no sense', () => {
    const findings: string[] = [];
    const given = {
      partitions: 3,
      batchSize: 0,
      concurrency: 1.5,
      timeout: '5 parsecs',
      retry: { attempts: -1, backoff: { factor: 0.5, initial: '1h', max: '1m' } },
    } as unknown as ProcessorOptions;
    resolveOptions('p', given, 'async', findings);
    for (const part of ['partitions', 'batchSize', 'concurrency', 'timeout', 'attempts', 'factor', 'max'])
      expect(findings.some((finding) => finding.includes(part))).toBe(true);
  });
});

test.each([{ position: -1n }, { timestamp: new Date('no date') }])('no processor starts from %o', (startFrom) => {
  const findings: string[] = [];
  resolveOptions('p', { startFrom }, 'async', findings);
  expect(findings).toEqual([expect.stringMatching(/^p: startFrom/)]);
});

describe('describeFailure', () => {
  test('never throws, and keeps at most 16 KiB', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (thrown) => {
        const { errorName, cause } = describeFailure({ error: thrown });
        expect(typeof errorName).toBe('string');
        expect(Buffer.byteLength(cause)).toBeLessThanOrEqual(16 * 1024);
      }),
    );
  });

  test('follows causes, also in a circle', () => {
    const inner = new Error('inner');
    const outer = new Error('outer', { cause: inner });
    inner.cause = outer;
    const { cause } = describeFailure({ error: outer });
    expect(cause).toMatch(/outer[\s\S]*caused by Error: inner/);
  });
});
