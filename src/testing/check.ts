import type { Awaitable } from '../message/types.ts';
import { print, printSource } from './print.ts';
import { type Place, unmet } from './unmet.ts';

/** Looks at a subject: returns whether it is as it should be, or throws, as `expect(…)` does. */
export type Check<T> = (subject: T) => Awaitable<boolean | void>;

/** Fails where a check does. What an `expect(…)` returns is up to its library, and means that it passed. */
export async function holdsFor<T>(subject: T, check: Check<T>, place: Place): Promise<void> {
  const answer: unknown = await check(subject);
  if (answer === undefined || Boolean(answer)) return;
  throw unmet(place, {
    what: `the check returned ${print(answer)}\n\nstate:    ${print(subject)}`,
    expected: true,
    actual: answer,
    wanted: printSource(check),
  });
}
