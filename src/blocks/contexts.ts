import type { Awaitable, Command, ResultOf } from '../message/types.ts';

/** What every handler is told about the message it handles. */
export interface MessageContext {
  /** When the command was dispatched, or the event happened. */
  readonly timestamp: Date;
  /** Ties together everything that one root command caused. */
  readonly correlationId: string;
  /** Whose data it is; `''` where there are no tenants. */
  readonly tenant: string;
  /** What caused this message: for an event its command, for a command that a handler dispatched the event. */
  readonly causationId: string | undefined;
  /** Given to `dispatch`, and inherited by all that it causes. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the caller gave up, the application shuts down, the lease is lost or the time is up. */
  readonly signal: AbortSignal;
  /** Makes an id; in tests a predictable one. */
  readonly newId: () => string;
}
/** Second argument of command handlers. `timestamp` is also that of the events emitted. */
export interface CommandContext extends MessageContext {}
/** Second argument of query handlers. */
export interface QueryContext extends MessageContext {}

/** What is known of a recorded event. */
export interface RecordedContext extends MessageContext {
  readonly aggregateId: string;
  readonly aggregateType: string;
  /** Place in the aggregate's stream, from 1. */
  readonly sequence: number;
  /** Place in the log; `undefined` for a foreign event. */
  readonly position: bigint | undefined;
  readonly eventId: string;
  /** Calls of this handler for this event, this one included: from 1, over restarts. */
  readonly attempt: number;
  /** In a `replay`, up to and including the old checkpoint. A first catch-up is no replay. */
  readonly replaying: boolean;
  /**
   * Runs an effect outside the store and remembers its result under (processor, event, `key`): a retry, a redelivery and a
   * dead letter's retry get that result back and run nothing. A crash between effect and mark cannot be told from one before
   * it: `onUnknown: 'rerun'` (default) runs the effect again, `'park'` makes the event a dead letter. Pass `idempotencyKey`
   * on to whoever can use it. The result must be plain data.
   * @throws EffectInTransactionError where the handler's transaction is open.
   * @throws ResultGoneError in a replay, if no result is kept.
   */
  readonly once: <T>(
    key: string,
    effect: (idempotencyKey: string) => Awaitable<T>,
    options?: { onUnknown?: 'rerun' | 'park' },
  ) => Promise<T>;
}
/** Second argument of event handlers. */
export interface EventContext extends RecordedContext {
  /**
   * Dispatches a command caused by this event, with an idempotency key of (processor, event, count): a retry of the handler
   * gets the first result. In a handler whose transaction is open the command joins it.
   */
  readonly dispatch: <C extends Command>(command: C) => Promise<ResultOf<C>>;
}
