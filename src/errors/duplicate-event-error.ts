import { InterlockError } from './interlock-error.ts';

/** An event of this id is in the log already. Nothing was stored. */
export class DuplicateEventError extends InterlockError {
  readonly code = 'DUPLICATE_EVENT';
  readonly eventId: string;

  constructor(eventId: string) {
    super(`An event of id ${eventId} is stored already. Nothing was stored; ids must come from newId().`);
    this.eventId = eventId;
  }
}
