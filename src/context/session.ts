import { SessionError } from '../errors/session-error.ts';
import type { SessionScope } from '../ports/store.ts';
import { currentScope } from './scope.ts';

/**
 * What a session is bound to where it is used now.
 * @throws SessionError, naming the session, where there is no transaction.
 */
export function currentSession(name: string): SessionScope {
  const scope = currentScope();
  if (scope === undefined)
    throw new SessionError(
      `${name} was used outside of a handler. It is the transaction around a handler: use it in handlers of processors and queries, in onStartup and in reset().`,
    );
  if (!scope.open)
    throw new SessionError(
      `${name} was used after its handler returned: its transaction is no longer the handler's. Is an await missing?`,
    );
  if (scope.session === undefined)
    throw new SessionError(
      `${name} was used in a command handler or middleware, where no transaction is open yet. Write from an event processor.`,
    );
  return scope.session;
}
