import { InterlockError } from './interlock-error.ts';

/**
 * `once` was called in a handler whose transaction is open. The effect would happen before the commit, and stay if the
 * transaction rolls back. Move it to a processor of its own that uses no session and is `{ delivery: 'async' }`.
 */
export class EffectInTransactionError extends InterlockError {
  readonly code = 'EFFECT_IN_TRANSACTION';

  constructor(processor: string, key: string) {
    super(
      `${processor} called once(${JSON.stringify(key)}) while its transaction is open: the effect could not be undone with it. Move it to a processor that uses no session and has { delivery: 'async' }.`,
    );
  }
}
