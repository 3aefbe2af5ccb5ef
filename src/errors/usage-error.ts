import { InterlockError } from './interlock-error.ts';

/**
 * A call that cannot mean anything: a message without a name, an asynchronous schema, a duration of `'5 parsecs'`. A mistake
 * in the program, found where it is made; the message names the value. Nothing to catch.
 */
export class UsageError extends InterlockError {
  readonly code = 'USAGE';
}
