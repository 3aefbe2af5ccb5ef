import { InterlockError } from './interlock-error.ts';

/** A session was used where it has no transaction: outside of a handler, or after its handler returned. */
export class SessionError extends InterlockError {
  readonly code = 'SESSION';

  constructor(why: string) {
    super(why);
  }
}
