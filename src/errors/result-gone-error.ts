import { InterlockError } from './interlock-error.ts';

/** A replayed handler asked for the result of an effect or command from its first run, and none is kept. */
export class ResultGoneError extends InterlockError {
  readonly code = 'RESULT_GONE';

  constructor(processor: string, what: string) {
    super(
      `In its replay ${processor} asked for the result of ${what}, and none is kept. Effects do not run again in a replay; if they should, replay with { replayEffects: true }.`,
    );
  }
}
