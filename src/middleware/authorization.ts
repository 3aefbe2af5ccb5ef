import type { MessageContext } from '../blocks/contexts.ts';
import { inject } from '../container/inject.ts';
import { NotAuthorizedError } from '../errors/not-authorized-error.ts';
import { Command, Query } from '../message/define.ts';
import { messageClassOf } from '../message/message.ts';
import type { Awaitable } from '../message/types.ts';
import { routes } from '../routing/routes.ts';

/** Decides who may do what. Register your own, and `AuthorizationMiddleware`. */
export abstract class Authorizer {
  /** False, or a reason, refuses the message; true lets it pass. Who asks is in `context.headers`, as your code put it there. */
  abstract authorize(message: Command | Query, context: MessageContext): Awaitable<boolean | string>;
}

/** Asks the `Authorizer` before every command and query, those dispatched by handlers included. @throws NotAuthorizedError */
export class AuthorizationMiddleware {
  static {
    routes(this).intercepts(Command, 'check').intercepts(Query, 'check');
  }
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer = inject(Authorizer)) {
    this.#authorizer = authorizer;
  }

  async check(message: Command | Query, next: () => Promise<unknown>, context: MessageContext): Promise<unknown> {
    const answer = await this.#authorizer.authorize(message, context);
    if (answer !== true)
      throw new NotAuthorizedError(messageClassOf(message).messageName, answer === false ? undefined : answer);
    return next();
  }
}
