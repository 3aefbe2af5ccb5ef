import { InterlockError } from './interlock-error.ts';

/** Something was asked of an application that is not started, or is shut down. */
export class LifecycleError extends InterlockError {
  readonly code = 'LIFECYCLE';

  constructor(why: string) {
    super(why);
  }
}
