import type { StoredEvent } from '../../message/recorded-event.ts';
import type { Letter } from '../../ports/letter-store.ts';
import type { Connection } from './connection.ts';

/** "All of them", for SQLite. */
export const LIMIT = 1_000_000_000;

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

type EventRow = [
  position: number | bigint,
  eventId: string,
  tenant: string,
  type: string,
  id: string,
  sequence: number | bigint,
  name: string,
  version: number | bigint,
  data: string,
  types: string | null,
  timestamp: number | bigint,
  correlationId: string,
  causationId: string | null,
  headers: string | null,
];

/** Runs a statement that asks for events. Their positions ascend, so the last one tells whether numbers can hold them. */
export function eventsOf(
  connection: Connection,
  statement: 'page' | 'pageOfNames' | 'streamEvents',
  values: unknown[],
): StoredEvent[] {
  let rows = connection.rows(statement).all(...values) as EventRow[];
  const last = rows.at(-1);
  if (last !== undefined && last[0] > Number.MAX_SAFE_INTEGER)
    rows = connection.bigRows(statement).all(...values) as EventRow[];
  return rows.map(eventOf);
}

function eventOf(row: EventRow): StoredEvent {
  return {
    position: BigInt(row[0]),
    stream: { tenant: row[2], type: row[3], id: row[4] },
    sequence: Number(row[5]),
    eventId: row[1],
    name: row[6],
    version: Number(row[7]),
    data: row[8],
    types: row[9],
    timestamp: new Date(Number(row[10])),
    correlationId: row[11],
    causationId: row[12] ?? undefined,
    headers: row[13] === null ? NO_HEADERS : Object.freeze(JSON.parse(row[13])),
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
