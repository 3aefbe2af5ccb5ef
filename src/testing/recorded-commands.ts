import { fingerprint } from '../command/fingerprint.ts';
import type { Dispatcher } from '../context/dispatcher.ts';
import type { Scope } from '../context/scope.ts';
import { IdempotencyConflictError } from '../errors/idempotency-conflict-error.ts';
import { decode, type Encoded, encode } from '../message/codec.ts';
import { nameOf } from '../message/message.ts';
import type { Awaitable, Class, Command, ResultOf } from '../message/types.ts';

/** What a command is answered with, in the place of its aggregate. */
export type Answer<C extends Command> = (command: C) => Awaitable<ResultOf<C>>;

interface Recorded {
  readonly command: Command;
  readonly key: string;
  readonly request: string;
  result: Encoded | undefined;
}

/** Commands that handlers dispatched. They are recorded and not run; each key counts once, as in an application. */
export class RecordedCommands implements Dispatcher {
  readonly #all: Recorded[] = [];
  readonly #answers = new Map<object, (command: never) => unknown>();

  /** In order. */
  get commands(): readonly Command[] {
    return this.#all.map(({ command }) => command);
  }

  get count(): number {
    return this.#all.length;
  }

  /** Forgets all but the first `count`: the transaction that dispatched them was rolled back. */
  undo(count: number): void {
    this.#all.length = count;
  }

  answer<C extends Command>(type: Class<C>, answer: Answer<C>): void {
    nameOf(type);
    this.#answers.set(type, answer);
  }

  async dispatch<C extends Command>(command: C, key: string, _scope?: Scope): Promise<ResultOf<C>> {
    const type: Class<C> = Object.getPrototypeOf(command).constructor;
    const name = nameOf(type);
    const request = fingerprint(command); // an application refuses here what no store could keep
    let recorded = this.#all.find((earlier) => earlier.key === key);
    if (recorded === undefined) this.#all.push((recorded = { command, key, request, result: undefined }));
    else if (recorded.request !== request) throw new IdempotencyConflictError(name, key);
    // A command that failed is not stored, so a retry of its handler runs it again.
    recorded.result ??= encode(await this.#answers.get(type)?.(command as never), `the result of ${name}`);
    return decode(recorded.result.data, recorded.result.types) as ResultOf<C>;
  }

  async kept<C extends Command>(
    _command: C,
    key: string,
    _scope?: Scope,
  ): Promise<{ readonly result: ResultOf<C> } | undefined> {
    const result = this.#all.find((earlier) => earlier.key === key)?.result;
    return result && { result: decode(result.data, result.types) as ResultOf<C> };
  }
}
