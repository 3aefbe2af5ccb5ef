import { InterlockError } from './interlock-error.ts';

/** Processors did not reach the head of the log in time. They go on. */
export class CatchUpTimeoutError extends InterlockError {
  readonly code = 'CATCH_UP_TIMEOUT';

  constructor(milliseconds: number, behind: readonly string[]) {
    super(`Not caught up within ${milliseconds} ms: ${behind.join('; ')}.`);
  }
}
