import { setImmediate } from 'node:timers/promises';
import { decode, encode } from '../message/codec.ts';
import type { NewEvent, StoredEvent, StreamId } from '../message/recorded-event.ts';
import type { Awaitable } from '../message/types.ts';
import type { Commit, CommitResult } from '../ports/event-store.ts';
import type { Letter } from '../ports/letter-store.ts';
import type { Lease, ProcessorRecord } from '../ports/processor-store.ts';
import type { Store } from '../ports/store.ts';

let ids = 0;

/** An id that nothing else has. */
export function newId(): string {
  ids += 1;
  return `id-${String(ids).padStart(8, '0')}`;
}

export function stream(id: string = newId(), type = 'test.Thing', tenant = ''): StreamId {
  return { tenant, type, id };
}

export function event(payload: object = {}, overrides: Partial<NewEvent> = {}): NewEvent {
  return {
    eventId: newId(),
    name: 'test.Happened',
    version: 1,
    payload,
    timestamp: new Date(1_700_000_000_000),
    correlationId: 'correlation',
    causationId: undefined,
    headers: {},
    ...overrides,
  };
}

/** So many events. */
export function events(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => event({ i }));
}

/** One commit by itself. */
export async function append(
  store: Store,
  commit: Commit,
  unit?: Parameters<Store['events']['append']>[1],
): Promise<CommitResult> {
  const [result] = await store.events.append([commit], unit);
  if (result === undefined) throw new Error('append answered with no result for its commit');
  return result;
}

/** Appends events to a new stream. */
export async function given(store: Store, count: number): Promise<StreamId> {
  const to = stream();
  await append(store, { stream: to, expectedVersion: 0, events: events(count) });
  return to;
}

/** All events of a stream, in pages of a size. */
export async function load(store: Store, of: StreamId, limit = 1_000): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const [page] = await store.events.load([{ stream: of, after: all.at(-1)?.sequence ?? 0, limit }]);
    if (page === undefined) throw new Error('load answered with no page for its slice');
    all.push(...page.events);
    if (page.events.length === 0 || (all.at(-1)?.sequence ?? 0) >= page.version) return all;
  }
}

/** The whole log, in pages of a size. */
export async function readAll(store: Store, limit = 1_000): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  let after = 0n;
  for (;;) {
    const page = await store.events.read({ after, limit });
    all.push(...page.events);
    after = page.position;
    if (page.position === page.head) return all;
  }
}

/** The payload as it was. */
export function payloadOf({ data, types }: Pick<StoredEvent, 'data' | 'types'>): unknown {
  return decode(data, types);
}

/** A key for a commit, and what is remembered under it. */
export function key(name: string, overrides: Partial<NonNullable<Commit['key']>> = {}): NonNullable<Commit['key']> {
  return {
    tenant: '',
    commandName: 'test.Do',
    key: name,
    request: '{"a":1}',
    result: encode({ first: true }),
    ...overrides,
  };
}

export function record(overrides: Partial<ProcessorRecord> = {}): ProcessorRecord {
  return { processor: 'test.processor', delivery: 'async', partitions: 1, paused: false, source: 'log', ...overrides };
}

/** A processor of one partition, and the lease of it. */
export async function leased(store: Store, processor = 'test.processor'): Promise<Lease> {
  await store.processors.save(record({ processor }));
  return claim(store, { processor, partition: 0 });
}

/** A lease that must be free. */
export async function claim(
  store: Store,
  of: { processor: string; partition: number },
  owner = 'host:1:owner',
): Promise<Lease> {
  const lease = await store.processors.claim(of, { owner, lease: 60_000 });
  if (lease === undefined) throw new Error('the partition is not free');
  return lease;
}

/** The only partition of a processor. */
export async function partitionOf(store: Store, processor = 'test.processor') {
  const [partition] = await store.processors.partitions(processor);
  if (partition === undefined) throw new Error('the processor has no partition');
  return partition;
}

export function letter(position: number, overrides: Partial<Letter> = {}): Letter {
  return {
    id: `letter-${position}`,
    processor: 'test.processor',
    partition: 0,
    sequenceKey: 'sequence',
    behind: false,
    attempts: 1,
    dueAt: undefined,
    errorName: 'Error',
    cause: 'Error: it failed',
    firstAt: new Date(1_700_000_000_000),
    lastAt: new Date(1_700_000_000_000),
    source: 'log',
    cursor: String(position),
    position: BigInt(position),
    eventId: `event-${position}`,
    eventName: 'test.Happened',
    tenant: '',
    aggregateType: 'test.Thing',
    aggregateId: 'thing',
    sequence: position,
    correlationId: 'correlation',
    ...overrides,
  };
}

/** Parks letters, as the commit of a processor does. */
export async function parked(store: Store, ...letters: Letter[]): Promise<Lease> {
  const lease = await leased(store);
  await store.processors.commit({ lease, letters: letters.map((one) => ({ kind: 'park', letter: one })) });
  return lease;
}

/** Waits until a condition holds: its first answer that is not undefined or false. */
export async function until<T>(ask: () => Awaitable<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error('the condition did not come true within 10 s');
    await setImmediate();
  }
}

/** Runs work and answers with what it threw. */
export async function failure(work: () => Awaitable<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/** An error to throw on purpose. */
export class Planned extends Error {}
