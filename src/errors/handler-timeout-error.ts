import { InterlockError } from './interlock-error.ts';

/** A handler did not return within the processor's `timeout`. Its `signal` was aborted; what it still does counts for nothing. */
export class HandlerTimeoutError extends InterlockError {
  readonly code = 'HANDLER_TIMEOUT';

  constructor(processor: string, eventName: string, milliseconds: number) {
    super(`${processor} took longer than ${milliseconds} ms over ${eventName}. Its signal was aborted.`);
  }
}
