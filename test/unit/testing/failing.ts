import { AssertionError } from 'node:assert';
import { expect } from 'vitest';

/** How a scenario fails: with what a test runner shows as a failed assertion. */
export async function failureOf(scenario: Promise<void>): Promise<AssertionError> {
  const error = await errorOf(scenario);
  expect(error).toBeInstanceOf(AssertionError);
  return error as AssertionError;
}

/** How a scenario fails, whatever with. */
export async function errorOf(scenario: Promise<void>): Promise<unknown> {
  return scenario.then(
    () => expect.unreachable('the scenario passed'),
    (error: unknown) => error,
  );
}
