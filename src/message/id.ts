import { randomFillSync } from 'node:crypto';

// A UUIDv7 is 48 bits of milliseconds, then, besides version and variant, 74 bits at will. Here: 42 random bits, drawn anew
// for each millisecond, and a counter of 32 bits that starts at random in its lower half. Ids of one process ascend.
const COUNTER_END = 2 ** 32;
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));
const pool = new Uint32Array(256 * 3);

let next = pool.length;
let time = 0;
let prefix = '';
let counter = 0;

/**
 * A new UUIDv7: unique among all processes, and above every one this process made before, also when the clock steps back.
 * Hard to guess, but no secret.
 */
export function newId(): string {
  const now = Date.now();
  if (now > time) begin(now);
  else if (++counter === COUNTER_END) begin(time + 1);
  // In this order: short pieces are joined by copying, so that the id is one rope node and not four of them, which a store
  // that keeps millions of ids would carry along.
  const tail =
    HEX[counter >>> 24]! + HEX[(counter >>> 16) & 0xff]! + HEX[(counter >>> 8) & 0xff]! + HEX[counter & 0xff]!;
  return prefix + tail;
}

function begin(millisecond: number): void {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const a = pool[next++]!;
  const b = pool[next++]!;
  counter = pool[next++]! >>> 1;
  time = millisecond;
  const clock = hex(millisecond, 12);
  const version = hex(0x7000 | (a >>> 20), 4);
  const variant = hex(0x8000 | (a & 0x3fff), 4);
  prefix = `${clock.slice(0, 8)}-${clock.slice(8)}-${version}-${variant}-${hex(b >>> 16, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
