import { InterlockError } from './interlock-error.ts';

/**
 * Something was read or written with a unit of work that had already committed or rolled back, or that belongs to another
 * store. Nothing was written. Usually a promise that was not awaited inside the handler or the unit.
 */
export class UnitClosedError extends InterlockError {
  readonly code = 'UNIT_CLOSED';

  constructor(reason: string) {
    super(`This unit of work cannot be used: ${reason}. Await everything before the handler returns.`);
  }
}
