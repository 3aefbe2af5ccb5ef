import { encode } from '../../message/codec.ts';
import type { NewEvent, StreamId } from '../../message/recorded-event.ts';
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
import type { Connection } from './connection.ts';
import { eventsOf, LIMIT, streamEvents } from './rows.ts';
import { codeOf } from './failure.ts';
import { Job } from './job.ts';
import type { SqliteUnits } from './unit-of-work.ts';

/** A commit whose events are text already, so that nothing but storing them happens inside the transaction. */
interface Ready {
  readonly commit: Commit;
  readonly texts: readonly Text[];
}

interface Text {
  readonly data: string;
  readonly types: string | null;
  readonly headers: string | null;
}

/** The log in SQLite. There is one writer at a time, so positions have no holes and their order is that of the commits. */
export class SqliteEventStore implements EventStore {
  readonly #units: SqliteUnits;
  /** Names known to be in `stored_names`; forgotten whenever something was undone. */
  readonly #names = new Set<string>();
  #undone = 0;

  constructor(units: SqliteUnits) {
    this.#units = units;
  }

  load(slices: readonly StreamSlice[], unit?: Unit): readonly StreamPage[] {
    return this.#units.read(unit, (connection) => slices.map((slice) => page(connection, slice)));
  }

  append(commits: readonly Commit[], unit?: Unit): Awaitable<readonly CommitResult[]> {
    const ready = commits.map(prepare);
    if (unit === undefined) return this.#units.enqueue(new Append(this, ready));
    return this.#units.within(unit, (writer) => this.store(writer, ready, true));
  }

  read({ after, limit, names }: LogSlice, unit?: Unit): LogPage {
    return this.#units.read(unit, (connection) => {
      const head = connection.bigValue('head').get() as bigint;
      const end = after + BigInt(Math.min(limit, LIMIT));
      const position = end < head ? end : head;
      if (position <= after) return { events: [], position: after, head };
      const filter = names === undefined ? [] : [JSON.stringify(names)];
      const events = eventsOf(connection, names === undefined ? 'page' : 'pageOfNames', [after, position, ...filter]);
      return { events, position, head };
    });
  }

  head(unit?: Unit): bigint {
    return this.#units.read(unit, (connection) => connection.bigValue('head').get() as bigint);
  }

  findKey(key: CommandKey, unit?: Unit): KeyedResult | undefined {
    return this.#units.read(unit, (connection) => findKey(connection, key));
  }

  positionAt(time: Date): bigint {
    return this.#units.read(undefined, (connection) => {
      return connection.bigValue('positionBefore').get(time.getTime()) as bigint;
    });
  }

  names(): { events: string[]; aggregates: string[] } {
    const rows = this.#units.read(undefined, (connection) => connection.rows('names').all()) as [string, string][];
    const of = (kind: string) => rows.filter(([rowKind]) => rowKind === kind).map(([, name]) => name);
    return { events: of('event'), aggregates: of('aggregate') };
  }

  /** Within a transaction, of which a unit may do other things when this throws. */
  store(writer: Connection, commits: readonly Ready[], inUnit: boolean): CommitResult[] {
    const results: CommitResult[] = [];
    for (let i = 0; i < commits.length; i += 1) results.push(this.#store(writer, commits[i] as Ready, inUnit));
    return results;
  }

  #store(writer: Connection, { commit, texts }: Ready, inUnit: boolean): CommitResult {
    const { stream: id, expectedVersion, events, key } = commit;
    const first = key && findKey(writer, key);
    if (first !== undefined) return { status: 'duplicate-key', first };
    if (events.length === 0) {
      saveKey(writer, key);
      return { status: 'stored', positions: [] };
    }
    const state = writer.rows('streamState').get(id.tenant, id.type, id.id) as [number, number] | undefined;
    const [stream, actual] = state ?? [undefined, 0];
    if (actual !== expectedVersion) return { status: 'conflict', actual };
    // One statement that fails leaves nothing behind; of several, all must be undone together.
    const guarded = inUnit || events.length > 1 || stream === undefined || key !== undefined;
    if (guarded) this.#units.savepoint();
    const positions: bigint[] = [];
    try {
      const streamKey = stream ?? this.#openStream(writer, id);
      for (let i = 0; i < events.length; i += 1) {
        positions.push(this.#insert(writer, streamKey, commit, i, texts[i] as Text));
      }
      saveKey(writer, key);
    } catch (error) {
      if (guarded) this.#units.undo();
      const eventId = events[positions.length]?.eventId;
      if (eventId === undefined || !isTaken(error)) throw error;
      return { status: 'duplicate-event', eventId };
    }
    if (guarded) this.#units.keep();
    return { status: 'stored', positions };
  }

  #insert(
    writer: Connection,
    streamKey: number,
    { stream, expectedVersion, events }: Commit,
    i: number,
    text: Text,
  ): bigint {
    const event = events[i] as NewEvent;
    const { lastInsertRowid } = writer
      .big('insertEvent')
      .run(
        event.eventId,
        streamKey,
        stream.tenant,
        stream.type,
        stream.id,
        expectedVersion + i + 1,
        event.name,
        event.version,
        text.data,
        text.types,
        event.timestamp.getTime(),
        event.correlationId,
        event.causationId ?? null,
        text.headers,
      );
    this.#remember(writer, 'event', event.name);
    return lastInsertRowid as bigint;
  }

  #openStream(writer: Connection, { tenant, type, id }: StreamId): number {
    this.#remember(writer, 'aggregate', type);
    return writer.plain('insertStream').run(tenant, type, id).lastInsertRowid as number;
  }

  #remember(writer: Connection, kind: 'event' | 'aggregate', name: string): void {
    if (this.#undone !== this.#units.undone) this.#names.clear();
    this.#undone = this.#units.undone;
    const known = kind === 'event' ? name : `\0${name}`;
    if (this.#names.has(known)) return;
    writer.plain('insertName').run(kind, name);
    this.#names.add(known);
  }
}

/** An append without a unit. */
class Append extends Job<readonly CommitResult[]> {
  readonly #store: SqliteEventStore;
  readonly #commits: readonly Ready[];

  constructor(store: SqliteEventStore, commits: readonly Ready[]) {
    super();
    this.#store = store;
    this.#commits = commits;
  }

  work(writer: Connection): CommitResult[] {
    return this.#store.store(writer, this.#commits, false);
  }
}

function prepare(commit: Commit): Ready {
  const texts = commit.events.map(({ payload, name, headers }) => {
    const { data, types } = encode(payload, name);
    return { data, types, headers: Object.keys(headers).length === 0 ? null : JSON.stringify(headers) };
  });
  return { commit, texts };
}

function page(connection: Connection, slice: StreamSlice): StreamPage {
  const { stream, after, limit } = slice;
  const events = streamEvents(connection, slice);
  const last = events.at(-1);
  if (last !== undefined && events.length < limit) return { version: last.sequence, events };
  if (last === undefined && after === 0 && limit > 0) return { version: 0, events };
  const { tenant, type, id } = stream;
  return { version: connection.value('versionOf').get(tenant, type, id) as number, events };
}

function findKey(connection: Connection, { tenant, commandName, key }: CommandKey): KeyedResult | undefined {
  const row = connection.rows('findKey').get(tenant, commandName, key) as [string, string, string | null] | undefined;
  return row && { request: row[0], result: { data: row[1], types: row[2] } };
}

function saveKey(writer: Connection, key: Commit['key']): void {
  if (key === undefined) return;
  const { tenant, commandName, request, result } = key;
  writer.plain('insertKey').run(tenant, commandName, key.key, request, result.data, result.types, Date.now());
}

function isTaken(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE' && (error as Error).message.endsWith('events.event_id');
}
