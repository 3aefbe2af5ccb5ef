import type { Dispatcher } from '../context/dispatcher.ts';
import type { IdempotencyStorageBackend } from '../ports/idempotency.ts';

/** What handlers can reach through their context. */
export interface HandlerServices {
  readonly effects: IdempotencyStorageBackend;
  readonly newId: () => string;
  /** Late, since the bus that it returns needs processors itself. */
  readonly dispatcher: () => Dispatcher;
}
