import { InterlockError } from './interlock-error.ts';

/** An aggregate emitted an event that the application could not read back: nobody applies, handles or registers its class. */
export class UnknownEventError extends InterlockError {
  readonly code = 'UNKNOWN_EVENT';
  readonly eventName: string;

  constructor(eventName: string, aggregateType: string) {
    super(
      `${aggregateType} emitted ${eventName}, which nobody applies or handles: add an @appliesEvent or @handlesEvent for it, or .registerEvent(…) its class.`,
    );
    this.eventName = eventName;
  }
}
