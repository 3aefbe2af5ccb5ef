import { milliseconds } from '../message/duration.ts';
import type { Duration } from '../message/types.ts';
import { Clock } from '../ports/clock.ts';

/**
 * A clock that moves only when told to. Scenarios have one; an application takes it with
 * `registerDependency(Clock, () => clock)`, and scenarios of that application then use it too.
 */
export class FakeClock extends Clock {
  #now: number;

  /** @param start what it shows first: the beginning of the year 2000, UTC, if left out */
  constructor(start: Date = new Date('2000-01-01T00:00:00.000Z')) {
    super();
    this.#now = start.getTime();
  }

  override now(): Date {
    return new Date(this.#now);
  }

  /** Shows this time from now on. It may go back, as clocks of machines do. */
  set(time: Date): void {
    this.#now = time.getTime();
  }

  advance(by: Duration): void {
    this.#now += milliseconds(by);
  }
}
