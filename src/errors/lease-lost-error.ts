import { InterlockError } from './interlock-error.ts';

/**
 * Another owner took over a partition, or a sequence of letters, while this one still worked on it. What this one wrote in
 * its transaction is rolled back. Internal to the loops: it shows in logs, not in your code.
 */
export class LeaseLostError extends InterlockError {
  readonly code = 'LEASE_LOST';

  readonly what: string;

  constructor(what: string) {
    super(`The lease of ${what} was taken over; what was written under it is rolled back.`);
    this.what = what;
  }
}
