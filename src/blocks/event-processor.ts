import type { Awaitable } from '../message/types.ts';

declare const block: unique symbol;

/**
 * The base of event processors: classes that follow events and act. Methods with `@handlesEvent` (or `routes()`) are its
 * handlers; dependencies are constructor defaults, `inject(Token)`. One instance serves an application.
 *
 * `static processorName` is the durable name under which checkpoints and letters are kept.
 */
export abstract class EventProcessor {
  declare readonly [block]: 'processor' | 'projection' | 'saga';

  /**
   * Empties what this processor has built, so that it can be built again: `replay` calls it first, in the transaction that
   * sets the checkpoint back. Without it a replay is refused.
   */
  reset?(): Awaitable<void>;
}

/** An event processor that also answers queries, in methods with `@handlesQuery`. */
export abstract class Projection extends EventProcessor {
  declare readonly [block]: 'projection';
}
