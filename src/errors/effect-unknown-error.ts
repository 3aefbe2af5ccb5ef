import { UnrecoverableError } from './unrecoverable-error.ts';

/**
 * An effect with `onUnknown: 'park'` was started and never marked as done: the process ended between the two, and nobody can
 * tell whether it happened. The event becomes a dead letter; whoever knows retries or discards it.
 */
export class EffectUnknownError extends UnrecoverableError {
  override readonly code = 'EFFECT_UNKNOWN';

  constructor(processor: string, key: string) {
    super(
      `${processor} started the effect ${JSON.stringify(key)} before and did not live to mark it as done: whether it happened is unknown. Find out, then discard or retry the letter.`,
    );
  }
}
