import { bareScope, within } from '../context/scope.ts';
import { Transaction } from '../context/transaction.ts';
import { ConfigurationError } from '../errors/configuration-error.ts';
import { ProcessorFailedError } from '../errors/processor-failed-error.ts';
import { newId } from '../message/id.ts';
import type { StoredEvent } from '../message/recorded-event.ts';
import type { Awaitable } from '../message/types.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Lease } from '../ports/processor-store.ts';
import type { Unit } from '../ports/unit-of-work.ts';
import type { ProcessorDefinition } from './definition.ts';
import { describeFailure } from './failure-policy.ts';
import { occurrenceOf } from './occurrence-of.ts';
import { Interrupted } from './ownership.ts';
import { PartitionLoop } from './partition-loop.ts';
import type { ProcessingParts } from './parts.ts';

/** Options of `replay`. */
export interface ReplayOptions {
  /** Where to begin: default the beginning of the log; a position is exclusive. */
  readonly from?: 'beginning' | { readonly position: bigint };
  /** Called after every page. */
  readonly onProgress?: (at: { readonly position: bigint; readonly head: bigint }) => void;
  /** `once` and `dispatch` run again instead of giving their kept results. Default false. Risk: mails go out again. */
  readonly replayEffects?: boolean;
  /** Aborting it leaves an asynchronous replay for the next call, or the next runner, to go on with; a synchronous one is rolled back. */
  readonly signal?: AbortSignal;
}

/** Aborts at the deadline of a shutdown. */
export interface ReplayDeadline {
  readonly deadline?: AbortSignal;
}

const NEVER = new AbortController().signal;

/** Written in the transaction of `reset()`, before it. With it a replay begins, whatever was going on. */
export type Anew = (unit: Unit) => Awaitable<void>;

/**
 * Sets an asynchronous processor back and brings it to the head, in this process: takes its partitions over from whoever has
 * them, calls `reset()` in the transaction of the checkpoints, and handles page after page. A replay that did not come to its
 * end is gone on with, not begun again.
 */
export async function replay(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  options: ReplayOptions & ReplayDeadline,
  anew?: Anew,
): Promise<void> {
  refuseWithoutReset(definition);
  options.signal?.throwIfAborted();
  // What the handlers of letters still do must not come after reset().
  const goOn = await parts.retries.suspend(definition.name);
  const leases = await setBack(parts, definition, options, anew).finally(goOn);
  parts.advanced.notify();
  const ended = await Promise.allSettled(leases.map((lease) => bringToHead(parts, definition, lease, options)));
  for (const result of ended) {
    if (result.status === 'fulfilled') continue;
    if (result.reason instanceof Interrupted) options.signal?.throwIfAborted();
    throw result.reason;
  }
  options.signal?.throwIfAborted();
}

/** @throws ConfigurationError for a processor that cannot be replayed */
export function refuseWithoutReset({ name, class: type, instance }: ProcessorDefinition): void {
  if (instance.reset !== undefined) return;
  throw new ConfigurationError(
    [
      `${name} cannot be replayed: ${type.name} has no reset(), so what it built would be built twice. Write one that empties its tables.`,
    ],
    'There is no replay',
  );
}

/** Takes all partitions over and sets them back, with `reset()` in one transaction, unless a replay is to be gone on with. */
async function setBack(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  { from }: ReplayOptions,
  anew: Anew | undefined,
): Promise<readonly Lease[]> {
  const { source } = parts;
  const { processors, unitOfWork, lease: leaseTime } = parts.store;
  const begin = from === undefined || from === 'beginning' ? '0' : String(from.position);
  const leases = await Transaction.run(unitOfWork, async (transaction) => {
    const { unit } = transaction;
    await anew?.(unit);
    const records = await processors.partitions(definition.name, unit);
    const taken: Lease[] = [];
    for (const { partition } of records) {
      const key = { processor: definition.name, partition };
      const lease = await processors.claim(key, { owner: parts.owner, lease: leaseTime, force: true }, unit);
      if (lease !== undefined) taken.push(lease);
    }
    if (anew === undefined && records.some(({ replayUntil }) => replayUntil !== undefined)) return taken;
    await within(bareScope({ kind: 'unit', unit }, transaction), async () => definition.instance.reset?.());
    // A checkpoint above the head (the log was restored from a backup) would hold the effects of events still to come.
    const head = await source.head();
    for (const lease of taken) {
      const cursor = records.find((record) => record.partition === lease.partition)?.cursor;
      const until = source.compare(cursor, head) > 0 ? head : cursor;
      const replayUntil = source.compare(begin, until) < 0 ? until : undefined;
      await processors.rewind(lease, { cursor: begin, replayUntil }, unit);
    }
    return taken;
  });
  await processors.clearHalt(definition.name);
  return leases;
}

async function bringToHead(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  lease: Lease,
  { signal, onProgress, replayEffects = false, deadline }: ReplayOptions & ReplayDeadline,
): Promise<void> {
  const loop = new PartitionLoop(parts, definition, lease.partition);
  const stop = (): void => loop.stop();
  signal?.addEventListener('abort', stop);
  const abort = (): void => loop.abort();
  deadline?.addEventListener('abort', abort);
  if (signal?.aborted) stop();
  const report = async (cursor: string | undefined): Promise<void> => {
    const head = await parts.source.head();
    // Awaited, since it may be asynchronous whatever its type says.
    const told: unknown = onProgress?.({ position: parts.source.position(cursor), head: parts.source.position(head) });
    await told;
  };
  try {
    await loop.own(lease, 'head', replayEffects ? String(lease.epoch) : undefined, ({ cursor }) => {
      if (onProgress === undefined) return;
      report(cursor).catch((error: unknown) => parts.logger.error(`onProgress failed: ${String(error)}`));
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    deadline?.removeEventListener('abort', abort);
    await Promise.resolve(parts.store.processors.release(lease)).catch(() => undefined); // Then it expires.
    parts.advanced.notify();
  }
}

/**
 * Sets a synchronous processor back and brings it to the head in one unit: `reset`, all pages and the head. Dispatches that
 * reach it wait.
 */
export async function replaySynchronous(
  parts: ProcessingParts,
  events: EventStore,
  definition: ProcessorDefinition,
  options: ReplayOptions,
  anew?: Anew,
): Promise<void> {
  refuseWithoutReset(definition);
  const signal = options.signal ?? NEVER;
  const again = options.replayEffects === true ? newId() : undefined;
  await Transaction.run(parts.store.unitOfWork, async (transaction) => {
    const { unit } = transaction;
    await anew?.(unit);
    await within(bareScope({ kind: 'unit', unit }, transaction), async () => definition.instance.reset?.());
    const head = await events.head(unit);
    const circumstances = { replayUntil: String(head), replayEffects: again, signal };
    let after = options.from === undefined || options.from === 'beginning' ? 0n : options.from.position;
    while (after < head) {
      signal.throwIfAborted();
      const page = await events.read(
        { after, limit: definition.options.batchSize, names: definition.eventNames },
        unit,
      );
      for (const stored of page.events) {
        await handle(parts, definition, stored, circumstances, transaction);
        await parts.deliverPending(transaction);
      }
      after = page.position;
      const told: unknown = options.onProgress?.({ position: after, head });
      await told;
    }
  });
}

async function handle(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  stored: StoredEvent,
  circumstances: Parameters<typeof occurrenceOf>[3],
  transaction: Transaction,
): Promise<void> {
  const failed = (why: string, cause?: unknown): never => {
    throw new ProcessorFailedError(definition.name, `${stored.name} at position ${stored.position}`, why, { cause });
  };
  let decision;
  try {
    decision = await parts.runner.run(definition, occurrenceOf(parts, stored, 1, circumstances), transaction);
  } catch (error) {
    return failed(describeFailure({ error }).cause.split('\n', 1)[0] ?? '', error);
  }
  if (decision !== undefined && decision.kind !== 'skip') failed(`it returned ${decision.kind}: ${decision.why}`);
}
