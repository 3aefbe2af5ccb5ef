import { InterlockError } from './interlock-error.ts';

/**
 * A synchronous processor failed, and with it the command: nothing was stored. `cause` is the handler's error, where it threw
 * one.
 */
export class ProcessorFailedError extends InterlockError {
  readonly code = 'PROCESSOR_FAILED';
  readonly processor: string;
  readonly eventName: string;

  constructor(processor: string, eventName: string, why: string, options?: ErrorOptions) {
    super(`The synchronous processor ${processor} failed at ${eventName}, so nothing was stored: ${why}`, options);
    this.processor = processor;
    this.eventName = eventName;
  }
}
