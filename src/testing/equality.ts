import { isDeepStrictEqual } from 'node:util';
import { messageClassOf } from '../message/message.ts';
import { copyOf } from '../message/plain.ts';

/** Deeply equal: dates by their time, maps and sets by their entries, NaN is NaN, -0 is not 0, classes count. */
export function sameValue(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

/** Messages are equal when name and payload are. */
export function sameMessages(a: readonly object[], b: readonly object[]): boolean {
  return (
    a.length === b.length &&
    a.every((message, i) => {
      const other = b[i]!;
      return (
        messageClassOf(message).messageName === messageClassOf(other).messageName &&
        // Copies: a payload is plain data, whichever classes of the language it was made with.
        sameValue(copyOf(message), copyOf(other))
      );
    })
  );
}
