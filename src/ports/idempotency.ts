import type { Encoded } from '../message/codec.ts';
import type { Awaitable } from '../message/types.ts';

/** How far an effect came: started and perhaps done, or done with its result. */
export type EffectMark = { readonly state: 'started' } | { readonly state: 'done'; readonly result: Encoded };

/**
 * Remembers effects outside the store, for `once`. A token: register your own to keep the marks elsewhere; left out, the
 * store keeps them. Every method is durable before it resolves. Marks must live at least as long as dead letters do.
 */
export abstract class IdempotencyStorageBackend {
  /** The mark under `key`, if any. */
  abstract read(key: string): Awaitable<EffectMark | undefined>;
  /** Marks `key` as started. One that is done stays done. */
  abstract start(key: string): Awaitable<void>;
  /** Marks `key` as done. */
  abstract finish(key: string, result: Encoded): Awaitable<void>;
  /** Forgets that `key` was started: its effect failed and said so. One that is done stays done. */
  abstract abandon(key: string): Awaitable<void>;
}
