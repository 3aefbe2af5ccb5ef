import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequenceHash, streamHash } from '../../../src/message/hash.ts';

/** The definition of FNV-1a, on the bytes that the platform makes of the text. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text, 'utf8')) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return Number(hash);
}

// Fixed for ever: stored partitions depend on these numbers.
const KEYS: readonly (readonly [string, number])[] = [
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
  ['acc-1', 0xabe56eac],
  ['münchen', 0x545a4c53],
  ['日本', 0x9f26ee51],
  ['😀', 0x33a29608],
  ['\ud800', 0x03479c4a],
  ['\u0000', 0x050c5d1f],
];
const STREAMS: readonly (readonly [string, string, string, number])[] = [
  ['', 'bank.Account', 'acc-1', 0x71d09cff],
  ['acme', 'bank.Account', 'acc-1', 0xfa753fcd],
  ['', '', '', 0x117697cd],
  ['ä', '日本', '😀', 0x6adcf617],
];
const text = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
const anyText = fc.oneof(text, fc.string(), fc.string({ unit: 'grapheme' }));

describe('the hash of a sequence', () => {
  it('is what it always was', () => {
    for (const [key, hash] of KEYS) expect([key, sequenceHash(key)]).toEqual([key, hash]);
    for (const [tenant, type, id, hash] of STREAMS) expect(streamHash({ tenant, type, id })).toBe(hash);
  });

  it('is FNV-1a of the UTF-8 of any text', () => {
    fc.assert(
      fc.property(anyText, (key) => {
        expect(sequenceHash(key)).toBe(fnv1a(key));
      }),
    );
  });

  it('joins tenant, type and id of a stream by a zero', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (tenant, type, id) => {
        expect(streamHash({ tenant, type, id })).toBe(fnv1a(`${tenant}\0${type}\0${id}`));
      }),
    );
  });
});
