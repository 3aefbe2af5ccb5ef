import { AssertionError } from 'node:assert';
import { print } from './print.ts';

/** Where a test says something: which scenario, which step, and from which line. */
export interface Place {
  /** Such as `bank.account-balance, step 2 .shouldDispatch()`. */
  readonly text: string;
  /** The stack of the call that recorded the step. */
  readonly stack: string;
}

/** What a step found instead of what it was told to expect. */
export interface Unmet {
  /** What is wrong, in a sentence. */
  readonly what: string;
  /** Values for a test runner's diff. */
  readonly expected: unknown;
  readonly actual: unknown;
  /** The same for people, where printing the values would not do. */
  readonly wanted?: string;
  readonly found?: string;
  readonly cause?: unknown;
}

/** The failure of a step. Its stack leads to the line of the test that asked for it: the line that awaits says less. */
export function unmet(
  place: Place,
  { what, expected, actual, wanted = print(expected), found = print(actual), cause }: Unmet,
): AssertionError {
  const message = `${place.text}: ${what}\n\nexpected: ${indent(wanted)}\nactual:   ${indent(found)}\n`;
  const error = new AssertionError({ message, expected, actual, operator: 'scenario' });
  error.stack = `${error.name} [${error.code}]: ${message}\n${place.stack}`;
  if (cause !== undefined) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  return error;
}

/** The stack of the test, to be asked for by what a method of a scenario calls: that method's frame and the caller's go. */
export function testStack(): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, testStack);
  return (holder.stack ?? '').split('\n').slice(3).join('\n');
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n          ');
}
