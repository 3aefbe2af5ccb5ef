import { AsyncLocalStorage } from 'node:async_hooks';
import type { SessionScope } from '../ports/store.ts';
import type { Trail } from './trail.ts';
import type { Transaction } from './transaction.ts';

/** Where the running code stands: for whom it acts, caused by what, and in which transaction. */
export interface Scope {
  readonly tenant: string;
  readonly correlationId: string;
  /** The id of the message that is being handled: the cause of whatever is dispatched here. */
  readonly messageId: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly session: SessionScope | undefined;
  readonly transaction: Transaction | undefined;
  readonly trail: Trail | undefined;
  /** The processor whose handler runs, by name. */
  readonly processor: string | undefined;
  /** False once the handler has returned: whatever it left running no longer belongs to it. */
  open: boolean;
  /** An aggregate is locked for this scope or one around it. */
  holdsLock: boolean;
  /** Dispatches that join the transaction from one scope run in turn; this is the last of them. */
  lastNested: Promise<unknown> | undefined;
}

const storage = new AsyncLocalStorage<Scope>();

/** The scope of the running code; `undefined` outside of all handlers. */
export function currentScope(): Scope | undefined {
  return storage.getStore();
}

/** Runs `work` inside `scope`, which whoever made it closes. */
export function enter<T>(scope: Scope, work: () => T): T {
  return storage.run(scope, work);
}

/** Runs `work` inside `scope`, which closes when `work` returns, throws, or its promise settles. */
export function within<T>(scope: Scope, work: () => T): T {
  let result: T;
  try {
    result = storage.run(scope, work);
  } catch (error) {
    scope.open = false;
    throw error;
  }
  if (!isPromise(result)) {
    scope.open = false;
    return result;
  }
  const close = (): void => {
    scope.open = false;
  };
  result.then(close, close);
  return result;
}

/** Only real promises and thenables are awaited: an `await` on a plain value costs a turn of the event loop. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** A scope outside of messages, for `onStartup`, `reset` and the like. */
export function bareScope(session: SessionScope | undefined, transaction?: Transaction): Scope {
  return {
    tenant: '',
    correlationId: '',
    messageId: undefined,
    headers: {},
    session,
    transaction,
    trail: undefined,
    processor: undefined,
    open: true,
    lastNested: undefined,
    holdsLock: false,
  };
}
