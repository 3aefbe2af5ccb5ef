import { InterlockError } from './interlock-error.ts';

/** Throw it, or a subclass, from a handler of an asynchronous processor: no further attempt is made, `onExhausted` decides at once. */
export class UnrecoverableError extends InterlockError {
  readonly code: string = 'UNRECOVERABLE';
}
