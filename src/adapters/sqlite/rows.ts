import type { StoredEvent, StreamId } from '../../message/recorded-event.ts';
import type { Letter } from '../../ports/letter-store.ts';
import type { Connection } from './connection.ts';

/** "All of them", for SQLite. */
export const LIMIT = 1_000_000_000;

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

type Integer = number | bigint;

type EventRow = [
  position: Integer,
  eventId: string,
  sequence: Integer,
  name: string,
  version: Integer,
  data: string,
  types: string | null,
  timestamp: Integer,
  correlationId: string,
  causationId: string | null,
  headers: string | null,
  tenant: string,
  type: string,
  id: string,
];

/**
 * Runs a statement that asks for events. Each column of text costs as much as the row itself, so those of a stream that is
 * known are not asked for. Positions ascend, so the last one tells whether numbers can hold them.
 */
export function eventsOf(
  connection: Connection,
  statement: 'page' | 'pageOfNames' | 'streamEvents',
  values: unknown[],
  stream?: StreamId,
): StoredEvent[] {
  const rows = connection.rows(statement).all(...values) as EventRow[];
  const last = rows.at(-1);
  const exact = last === undefined || last[0] <= Number.MAX_SAFE_INTEGER;
  const events = exact ? rows : (connection.bigRows(statement).all(...values) as EventRow[]);
  return events.map((row) => eventOf(row, stream ?? { tenant: row[11], type: row[12], id: row[13] }));
}

function eventOf(row: EventRow, stream: StreamId): StoredEvent {
  return {
    position: BigInt(row[0]),
    stream,
    sequence: Number(row[2]),
    eventId: row[1],
    name: row[3],
    version: Number(row[4]),
    data: row[5],
    types: row[6],
    timestamp: new Date(Number(row[7])),
    correlationId: row[8],
    causationId: row[9] ?? undefined,
    headers: row[10] === null ? NO_HEADERS : Object.freeze(JSON.parse(row[10])),
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
