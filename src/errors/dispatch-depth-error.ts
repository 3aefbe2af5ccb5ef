import { InterlockError } from './interlock-error.ts';

/**
 * Commands dispatched by synchronous handlers caused one another without end: more than 100 deep, or more than 1,000 events in
 * one transaction. Everything was rolled back.
 */
export class DispatchDepthError extends InterlockError {
  readonly code = 'DISPATCH_DEPTH';
  /** Names of commands and events, from the root to where it was stopped. */
  readonly chain: readonly string[];

  /** @param what went on without end, as the beginning of a sentence. */
  constructor(what: string, chain: readonly string[]) {
    const shown =
      chain.length > 12 ? [...chain.slice(0, 4), `… ${chain.length - 10} more …`, ...chain.slice(-6)] : chain;
    super(
      `${what}, so everything was rolled back: ${shown.join(' → ')}. Break the circle, or make one of the processors asynchronous.`,
    );
    this.chain = chain;
  }
}
