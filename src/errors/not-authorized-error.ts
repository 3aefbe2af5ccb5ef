import { InterlockError } from './interlock-error.ts';

/** The registered `Authorizer` refused a command or query. */
export class NotAuthorizedError extends InterlockError {
  readonly code = 'NOT_AUTHORIZED';
  readonly messageName: string;

  constructor(messageName: string, why?: string) {
    super(`${messageName} is not allowed${why === undefined ? '' : `: ${why}`}.`);
    this.messageName = messageName;
  }
}
