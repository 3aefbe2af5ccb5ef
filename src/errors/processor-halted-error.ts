import { InterlockError } from './interlock-error.ts';

/**
 * A processor with `onExhausted: 'halt'` gave up at an event, or its checkpoint lies above the head of the log. It stays where
 * it is until `app.processors.resume(…)`. Rejects `closed` and `caughtUp` of its run.
 */
export class ProcessorHaltedError extends InterlockError {
  readonly code = 'PROCESSOR_HALTED';
  readonly processor: string;
  readonly partition: number;

  constructor(processor: string, partition: number, why: string, options?: ErrorOptions) {
    super(`${processor} (partition ${partition}) is halted: ${why}. app.processors.resume(…) tries again.`, options);
    this.processor = processor;
    this.partition = partition;
  }
}
