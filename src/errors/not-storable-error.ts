import { InterlockError } from './interlock-error.ts';

/**
 * A payload, result or state holds something that would not come back from a store as it was: a function, a class instance,
 * a cycle. Thrown when it is emitted or written, before anything is stored; constructing a message never throws it.
 */
export class NotStorableError extends InterlockError {
  readonly code = 'NOT_STORABLE';

  /** The durable name of the event, or what else was to be stored. */
  readonly eventName: string;

  /** Where the value lies, such as `items[2].price`; `''`: at the top. */
  readonly path: string;

  /** What lies there, such as `a function` or `an instance of Money`. */
  readonly found: string;

  constructor(eventName: string, path: string, found: string) {
    super(
      `'${eventName}' cannot be stored: ${found}${path === '' ? '' : ` at ${path}`}. ` +
        'JSON values, undefined, bigint, Date, Map, Set and Uint8Array can, nested at will.',
    );
    this.eventName = eventName;
    this.path = path;
    this.found = found;
  }
}
