import type { Signal } from '../context/signal.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { EventSource, SourcePage } from '../ports/event-source.ts';
import { isPromise } from '../context/scope.ts';
import type { Awaitable } from '../message/types.ts';

/** The log of the store as a source of events. */
export class LogSource implements EventSource {
  readonly name = 'log';
  readonly #events: EventStore;
  readonly #appended: Signal;

  constructor(events: EventStore, appended: Signal) {
    this.#events = events;
    this.#appended = appended;
  }

  pull(after: string | undefined, limit: number, names: readonly string[] | undefined): Awaitable<SourcePage> {
    const page = this.#events.read({ after: this.position(after), limit, names });
    const answer = ({ events, position, head }: Awaited<typeof page>): SourcePage => ({
      events,
      cursor: String(position),
      atHead: position >= head,
    });
    return isPromise(page) ? page.then(answer) : answer(page);
  }

  async head(): Promise<string> {
    return String(await this.#events.head());
  }

  async cursorAt(time: Date): Promise<string> {
    return String(await this.#events.positionAt(time));
  }

  cursorOf(event: StoredEvent): string {
    return String(event.position);
  }

  async find(cursor: string): Promise<StoredEvent | undefined> {
    const position = BigInt(cursor);
    const { events } = await this.#events.read({ after: position - 1n, limit: 1 });
    return events.find((event) => event.position === position);
  }

  compare(a: string | undefined, b: string | undefined): number {
    const difference = this.position(a) - this.position(b);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  position(cursor: string | undefined): bigint {
    return cursor === undefined ? 0n : BigInt(cursor);
  }

  changed(milliseconds: number, signal: AbortSignal): Promise<void> {
    return this.#appended.wait(milliseconds, signal);
  }
}
