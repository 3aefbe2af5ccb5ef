import type { DeliveryKind } from '../ports/processor-store.ts';

/**
 * When processors run: a token. `.registerDependency(EventDelivery, AsynchronousDelivery)` makes all of them asynchronous; left
 * out they are synchronous. The option `delivery` of a processor wins.
 */
export abstract class EventDelivery {
  abstract readonly kind: DeliveryKind;
}

/** Processors run inside `dispatch`, in the transaction of the append: all of it commits or nothing. The default. */
export class SynchronousDelivery extends EventDelivery {
  readonly kind = 'sync';
}

/** Processors follow the log on their own, once `runEventProcessors` was called; `dispatch` returns when the events are stored. */
export class AsynchronousDelivery extends EventDelivery {
  readonly kind = 'async';
}
