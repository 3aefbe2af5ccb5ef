import type { StoredEvent, StreamId } from '../../message/recorded-event.ts';
import type { StreamSlice } from '../../ports/event-store.ts';
import type { Letter } from '../../ports/letter-store.ts';
import type { Connection } from './connection.ts';

/** "All of them", for SQLite. */
export const LIMIT = 1_000_000_000;

const EPOCH = new Date(0);
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

type Integer = number | bigint;

type BareRow = [
  position: Integer,
  sequence: Integer,
  name: string,
  version: Integer,
  data: string,
  types: string | null,
];

type EventRow = [
  ...bare: BareRow,
  timestamp: Integer,
  eventId: string,
  correlationId: string,
  causationId: string | null,
  headers: string | null,
  tenant: string,
  type: string,
  id: string,
];

/** Events of the log. */
export function eventsOf(connection: Connection, statement: 'page' | 'pageOfNames', values: unknown[]): StoredEvent[] {
  const rows = exactly<EventRow>(connection, statement, values);
  return rows.map((row) => eventOf(row, { tenant: row[11], type: row[12], id: row[13] }));
}

/** Events of one stream. A column of text costs as much as the rest of the row, so what is not wanted is not read. */
export function streamEvents(
  connection: Connection,
  { stream, after, limit, bare = false }: StreamSlice,
): StoredEvent[] {
  const values = [stream.tenant, stream.type, stream.id, after, Math.min(limit, LIMIT)];
  if (bare) return exactly<BareRow>(connection, 'bareEvents', values).map((row) => bareEventOf(row, stream));
  return exactly<EventRow>(connection, 'streamEvents', values).map((row) => eventOf(row, stream));
}

/** Positions ascend, so the last one tells whether numbers can hold them; if not, they are read again as bigints. */
function exactly<Row extends [Integer, ...unknown[]]>(
  connection: Connection,
  statement: 'page' | 'pageOfNames' | 'streamEvents' | 'bareEvents',
  values: unknown[],
): Row[] {
  const rows = connection.rows(statement).all(...values) as Row[];
  const last = rows.at(-1);
  if (last === undefined || last[0] <= Number.MAX_SAFE_INTEGER) return rows;
  return connection.bigRows(statement).all(...values) as Row[];
}

function eventOf(row: EventRow, stream: StreamId): StoredEvent {
  return {
    position: BigInt(row[0]),
    stream,
    sequence: Number(row[1]),
    eventId: row[7],
    name: row[2],
    version: Number(row[3]),
    data: row[4],
    types: row[5],
    timestamp: new Date(Number(row[6])),
    correlationId: row[8],
    causationId: row[9] ?? undefined,
    headers: row[10] === null ? NO_HEADERS : Object.freeze(JSON.parse(row[10])),
  };
}

function bareEventOf(row: BareRow, stream: StreamId): StoredEvent {
  return {
    position: BigInt(row[0]),
    stream,
    sequence: Number(row[1]),
    eventId: '',
    name: row[2],
    version: Number(row[3]),
    data: row[4],
    types: row[5],
    timestamp: EPOCH,
    correlationId: '',
    causationId: undefined,
    headers: NO_HEADERS,
  };
}

type LetterRow = [
  id: string,
  processor: string,
  partition: bigint,
  sequenceKey: string,
  position: bigint,
  cursor: string,
  source: string,
  eventId: string,
  eventName: string,
  tenant: string,
  aggregateType: string,
  aggregateId: string,
  sequence: bigint,
  correlationId: string,
  behind: bigint,
  attempts: bigint,
  dueAt: bigint | null,
  errorName: string,
  cause: string,
  firstAt: bigint,
  lastAt: bigint,
];

export function lettersOf(rows: unknown[]): Letter[] {
  return rows.map((row) => letterOf(row) as Letter);
}

export function letterOf(row: unknown): Letter | undefined {
  if (row === undefined) return undefined;
  const letter = row as LetterRow;
  return {
    id: letter[0],
    processor: letter[1],
    partition: Number(letter[2]),
    sequenceKey: letter[3],
    position: letter[4],
    cursor: letter[5],
    source: letter[6],
    eventId: letter[7],
    eventName: letter[8],
    tenant: letter[9],
    aggregateType: letter[10],
    aggregateId: letter[11],
    sequence: Number(letter[12]),
    correlationId: letter[13],
    behind: letter[14] === 1n,
    attempts: Number(letter[15]),
    dueAt: letter[16] === null ? undefined : new Date(Number(letter[16])),
    errorName: letter[17],
    cause: letter[18],
    firstAt: new Date(Number(letter[19])),
    lastAt: new Date(Number(letter[20])),
  };
}

/** The columns of a letter, in their order. */
export function letterValues(letter: Letter): unknown[] {
  return [
    letter.id,
    letter.processor,
    letter.partition,
    letter.sequenceKey,
    letter.position,
    letter.cursor,
    letter.source,
    letter.eventId,
    letter.eventName,
    letter.tenant,
    letter.aggregateType,
    letter.aggregateId,
    letter.sequence,
    letter.correlationId,
    letter.behind ? 1 : 0,
    letter.attempts,
    letter.dueAt?.getTime() ?? null,
    letter.errorName,
    letter.cause,
    letter.firstAt.getTime(),
    letter.lastAt.getTime(),
  ];
}
