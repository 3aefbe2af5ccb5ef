import type { StreamId } from './recorded-event.ts';

// FNV-1a, 32 bits, over UTF-8. Partitions are stored under these numbers: the function is fixed for ever.
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** The hash of a stream, which decides its partition: unsigned, 32 bits. Tenant, type and id are joined by `\0`. */
export function streamHash({ tenant, type, id }: StreamId): number {
  return fold(fold(fold(fold(fold(OFFSET, tenant), '\0'), type), '\0'), id) >>> 0;
}

/** The hash of any other sequence key: unsigned, 32 bits. */
export function sequenceHash(key: string): number {
  return fold(OFFSET, key) >>> 0;
}

/** Goes on from `hash` over the UTF-8 of `text`; encoding by hand spares a buffer per event. */
function fold(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      hash = octet(hash, code);
      continue;
    }
    if (code < 0x800) {
      hash = octet(hash, 0xc0 | (code >> 6));
    } else {
      if ((code & 0xf800) === 0xd800) {
        code = text.codePointAt(i)!;
        if (code > 0xffff) i++;
        else code = 0xfffd; // half a pair alone: what every UTF-8 encoder writes for it
      }
      if (code > 0xffff) {
        hash = octet(hash, 0xf0 | (code >> 18));
        hash = octet(hash, 0x80 | ((code >> 12) & 0x3f));
      } else {
        hash = octet(hash, 0xe0 | (code >> 12));
      }
      hash = octet(hash, 0x80 | ((code >> 6) & 0x3f));
    }
    hash = octet(hash, 0x80 | (code & 0x3f));
  }
  return hash;
}

function octet(hash: number, value: number): number {
  return Math.imul(hash ^ value, PRIME);
}
