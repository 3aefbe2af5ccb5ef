/** The time of commands and events, for tests to replace. Leases and due times follow the store's clock instead. */
export abstract class Clock {
  abstract now(): Date;
}

/** The machine's clock. */
export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}
