import { afterEach, describe, expect, it, vi } from 'vitest';
import { newId } from '../../../src/message/id.ts';

const clock = vi.spyOn(Date, 'now');
afterEach(() => clock.mockReset());

const timeOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

function ascending(ids: readonly string[]): boolean {
  return ids.every((id, index) => index === 0 || ids[index - 1]! < id);
}

describe('newId', () => {
  it('makes UUIDs of version 7', () => {
    for (let i = 0; i < 1_000; i++) {
      expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('begins with the time in milliseconds', () => {
    const before = Date.now();
    const time = timeOf(newId());
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('ascends, a million times over, and never repeats', () => {
    const ids = Array.from({ length: 1_000_000 }, newId);
    expect(ascending(ids)).toBe(true);
  });

  it('ascends within a millisecond and when the clock steps back', () => {
    const start = Date.now() + 60_000;
    const ids: string[] = [];
    for (const time of [start, start, start + 1, start - 3_600_000, start, start + 1, start + 2, 0, start + 2]) {
      clock.mockReturnValue(time);
      for (let i = 0; i < 300; i++) ids.push(newId());
    }
    expect(ascending(ids)).toBe(true);
    expect(timeOf(ids.at(-1)!)).toBe(start + 2);
  });

  it('draws new random bits for each millisecond', () => {
    const start = Date.now() + 120_000;
    const ids: string[] = [];
    for (let i = 0; i < 2_000; i++) {
      clock.mockReturnValue(start + i);
      ids.push(newId());
    }
    // Each group but the clock's: 12 bits after the version, 14 after the variant, then 16 and 31.
    for (const [from, to] of [
      [15, 18],
      [19, 23],
      [24, 28],
      [28, 36],
    ] as const) {
      expect(new Set(ids.map((id) => id.slice(from, to))).size).toBeGreaterThan(1_000);
    }
  });
});
