import type { EventProcessor } from '../blocks/event-processor.ts';
import type { Class, Duration } from '../message/types.ts';

/** Options of `dispatch`. */
export interface DispatchOptions {
  /** Whose data it is; carried to all that the command causes. Default: that of the running handler, else `''`. Holds no `\0`. */
  readonly tenant?: string;
  /**
   * A second command of this tenant, type and key returns the first one's result and stores nothing, even if both run at once
   * in two processes; with another payload it throws an `IdempotencyConflictError`. Not empty.
   */
  readonly idempotencyKey?: string;
  /** The version the stream must have, 0 for one that must not exist; else `ConcurrencyError`, without a retry. */
  readonly expectedVersion?: number;
  /** Default: that of the running handler, else the command's own id. */
  readonly correlationId?: string;
  /** Carried to all that the command causes, on top of those of the running handler. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Resolves once these asynchronous processors have handled, or parked, the events of this command. */
  readonly waitFor?: readonly Class<EventProcessor>[];
  /** How long to wait for them; then `ConsistencyTimeoutError`. The events stay stored. Default 5 s. */
  readonly waitTimeout?: Duration;
  /** Aborting it rejects the dispatch if nothing has been stored yet; handlers see it too. */
  readonly signal?: AbortSignal;
}
