import { inspect } from 'node:util';
import { kindOf, messageClassOf } from '../message/message.ts';

/** Longer texts are cut: a failure has to be read, and a read model may be of any size. */
const MOST = 4_000;

/** A value for a person to read. */
export function print(value: unknown): string {
  return cut(inspect(value, { depth: 6, maxArrayLength: 50, maxStringLength: 1_000, breakLength: 100, sorted: false }));
}

/** The durable name of a message; anything else as it is. */
export function nameFor(message: object): string {
  return kindOf(Object.getPrototypeOf(Object(message))?.constructor) === undefined
    ? print(message)
    : messageClassOf(message).messageName;
}

/** A message by its durable name, since two classes may share the other one. */
function printMessage(message: object): string {
  return cut(`${messageClassOf(message).messageName} ${inspect({ ...message }, { depth: 6, breakLength: 100 })}`);
}

export function printMessages(messages: readonly object[]): string {
  return messages.length === 0 ? 'none' : cut(messages.map(printMessage).join('\n'));
}

/** The source of a check, as the test's author wrote it, or as the compiler left it. */
export function printSource(check: Function): string {
  return cut(String(check), 600);
}

function cut(text: string, most = MOST): string {
  return text.length <= most ? text : `${text.slice(0, most)} … (${text.length - most} more characters)`;
}
