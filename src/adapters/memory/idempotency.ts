import type { Encoded } from '../../message/codec.ts';
import { type EffectMark, IdempotencyStorageBackend } from '../../ports/idempotency.ts';

/** Marks of effects, in memory. No part of any unit: a mark stays when the unit around it is rolled back. */
export class MemoryIdempotency extends IdempotencyStorageBackend {
  readonly #marks = new Map<string, EffectMark>();

  read(key: string): EffectMark | undefined {
    return this.#marks.get(key);
  }

  start(key: string): void {
    if (!this.#marks.has(key)) this.#marks.set(key, { state: 'started' });
  }

  finish(key: string, result: Encoded): void {
    this.#marks.set(key, { state: 'done', result });
  }

  abandon(key: string): void {
    if (this.#marks.get(key)?.state === 'started') this.#marks.delete(key);
  }
}
