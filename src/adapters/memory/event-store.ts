import type { StoredEvent } from '../../message/recorded-event.ts';
import type { Awaitable } from '../../message/types.ts';
import type {
  CommandKey,
  Commit,
  CommitResult,
  EventStore,
  KeyedResult,
  LogPage,
  LogSlice,
  StreamPage,
  StreamSlice,
} from '../../ports/event-store.ts';
import type { Unit } from '../../ports/unit-of-work.ts';
import type { Log } from './log.ts';
import { keyOf, Table } from './table.ts';
import type { MemoryUnit, UnitQueue } from './unit-of-work.ts';

/** The log in memory. Outside a unit, and while none is open, it answers at once: no promise, no closure. */
export class MemoryEventStore implements EventStore {
  readonly #log: Log;
  readonly #units: UnitQueue;
  readonly #keys = new Table<KeyedResult>();

  constructor(log: Log, units: UnitQueue) {
    this.#log = log;
    this.#units = units;
  }

  load(slices: readonly StreamSlice[], unit?: Unit): readonly StreamPage[] {
    const visible = this.#visible(unit);
    if (slices.length === 1) return [this.#page(slices[0] as StreamSlice, visible)];
    return slices.map((slice) => this.#page(slice, visible));
  }

  append(commits: readonly Commit[], unit?: Unit): Awaitable<readonly CommitResult[]> {
    if (unit !== undefined) return this.#append(commits, this.#units.own(unit));
    if (!this.#units.idle) return this.#units.write(() => this.#append(commits));
    return this.#append(commits);
  }

  read({ after, limit, names }: LogSlice, unit?: Unit): LogPage {
    const visible = this.#visible(unit);
    const start = Math.min(Number(after), visible);
    const end = Math.min(start + limit, visible);
    let events = this.#log.events.slice(start, end);
    if (names !== undefined) {
      const wanted = new Set(names);
      events = events.filter((event) => wanted.has(event.name));
    }
    const head = BigInt(visible);
    return { events: this.#log.lend(events), position: after > head ? after : BigInt(end), head };
  }

  head(unit?: Unit): bigint {
    return BigInt(this.#visible(unit));
  }

  findKey(key: CommandKey, unit?: Unit): KeyedResult | undefined {
    return this.#keys.get(commandKey(key), unit && this.#units.own(unit));
  }

  positionAt(time: Date): bigint {
    const { events, committed } = this.#log;
    let before = 0;
    while (before < committed && (events[before] as StoredEvent).timestamp < time) before += 1;
    return BigInt(before);
  }

  names(): { events: string[]; aggregates: string[] } {
    const events = new Set<string>();
    const aggregates = new Set<string>();
    for (const { name, stream } of this.#log.events.slice(0, this.#log.committed)) {
      events.add(name);
      aggregates.add(stream.type);
    }
    return { events: [...events], aggregates: [...aggregates] };
  }

  /** How many events of the log somebody may see. */
  #visible(unit: Unit | undefined): number {
    return unit !== undefined && this.#units.own(unit).open ? this.#log.length : this.#log.committed;
  }

  #page({ stream: id, after, limit }: StreamSlice, visible: number): StreamPage {
    const stream = this.#log.stream(id);
    if (stream === undefined) return { version: 0, events: [] };
    const { events } = stream;
    let version = events.length;
    if (visible < this.#log.length) {
      while (version > 0 && (events[version - 1] as StoredEvent).position > visible) version -= 1;
    }
    return { version, events: this.#log.lend(events.slice(after, Math.min(version, after + limit))) };
  }

  #append(commits: readonly Commit[], unit?: MemoryUnit): CommitResult[] {
    const results: CommitResult[] = [];
    for (let i = 0; i < commits.length; i += 1) results.push(this.#commit(commits[i] as Commit, unit));
    if (unit === undefined) this.#log.commit();
    return results;
  }

  #commit({ stream: id, expectedVersion, events, key }: Commit, unit: MemoryUnit | undefined): CommitResult {
    if (key !== undefined) {
      const first = this.#keys.get(commandKey(key), unit);
      if (first !== undefined) return { status: 'duplicate-key', first };
    }
    const positions: bigint[] = [];
    if (events.length > 0) {
      const stream = this.#log.open(id);
      const actual = stream.events.length;
      if (actual !== expectedVersion) return { status: 'conflict', actual };
      const eventId = this.#log.reserve(events);
      if (eventId !== undefined) return { status: 'duplicate-event', eventId };
      this.#log.addAll(stream, events, positions);
    }
    if (key !== undefined) this.#keys.set(commandKey(key), { request: key.request, result: key.result }, unit);
    return { status: 'stored', positions };
  }
}

function commandKey({ tenant, commandName, key }: CommandKey): string {
  return keyOf(tenant, commandName, key);
}
