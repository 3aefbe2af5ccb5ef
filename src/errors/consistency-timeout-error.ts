import { InterlockError } from './interlock-error.ts';

/** A dispatch with `waitFor` stored its events, but a processor did not reach them in time. The events stay stored. */
export class ConsistencyTimeoutError extends InterlockError {
  readonly code = 'CONSISTENCY_TIMEOUT';
  readonly processor: string;
  /** The position that was waited for. */
  readonly position: bigint;

  constructor(processor: string, position: bigint, milliseconds: number) {
    super(
      `The events are stored, but ${processor} did not reach position ${position} within ${milliseconds} ms. Is it running somewhere, and not paused or halted? Do not dispatch again: read later.`,
    );
    this.processor = processor;
    this.position = position;
  }
}
