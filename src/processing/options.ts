import type { RecordedContext } from '../blocks/contexts.ts';
import { milliseconds } from '../message/duration.ts';
import type { Duration, Event } from '../message/types.ts';
import type { DeliveryKind } from '../ports/processor-store.ts';

/** How failed handlers are tried again. Asynchronous processors only: under synchronous delivery every failure fails the command. */
export interface RetryPolicy {
  /** Calls of the handler for one event, the first included. Default 10. 1: none is repeated. */
  readonly attempts?: number;
  /**
   * The wait before the next attempt: `initial` (50 ms), each time `factor` (3) times as long, at most `max` (10 m), lengthened by
   * up to half at random. `max` is `initial` where that is longer than 10 m. The default makes four attempts within 2 s, in place, and the others within 8 to 12
   * minutes.
   */
  readonly backoff?: { readonly initial?: Duration; readonly factor?: number; readonly max?: Duration };
  /** Whether an error is worth another attempt. Default: all are, but `UnrecoverableError`. */
  readonly when?: (error: unknown) => boolean;
}

/** Options of `registerEventProcessor`. */
export interface ProcessorOptions {
  /**
   * `'sync'`: inside `dispatch`; `'async'`: following the log. Default: what `EventDelivery` says, else `'sync'`. Risk of sync:
   * a failing processor fails the command. Risk of async: read models lag.
   */
  readonly delivery?: DeliveryKind;
  /**
   * Where an asynchronous processor without a checkpoint begins: `'beginning'` (default), `'end'` (fixed when it first runs),
   * after a position, or at the first event from a time on. Also what decides when a processor's delivery was changed on a store
   * in use. Risk of all but the first: it never sees what lies before.
   */
  readonly startFrom?: 'beginning' | 'end' | { readonly position: bigint } | { readonly timestamp: Date };
  /** Shares of the events, by sequence, that processes can divide among them. Default 1. */
  readonly partitions?: 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256;
  /**
   * What must be handled in order: events of one key. Default: the aggregate. Risk: a coarse key makes one failure hold up
   * more, a fine one gives up order. It must depend on the event alone.
   */
  readonly sequenceBy?: (event: Event, context: RecordedContext) => string;
  /** Events in one batch, and so in one transaction, at most. Default 1000. A batch also ends after 50 ms. */
  readonly batchSize?: number;
  readonly retry?: RetryPolicy;
  /**
   * When attempts are used up: `'park'` (default) the event as a dead letter, later events of its sequence behind it; `'skip'` it
   * for ever; `'halt'` the processor's partition until `resume`.
   */
  readonly onExhausted?: 'park' | 'skip' | 'halt';
  /**
   * `'exactly-once'`: handler and checkpoint commit in one transaction; the default where a session is used, and refused where
   * none is. It covers what is written through the session. `'at-least-once'`: the checkpoint follows after a batch.
   */
  readonly guarantee?: 'exactly-once' | 'at-least-once';
  /** How long one call of a handler may take. Default 5 s under synchronous delivery, 30 s under asynchronous. */
  readonly timeout?: Duration;
  /**
   * Handlers at work at the same time. 1 (default): the order of the log, but for what waits behind letters. n: the order of
   * each sequence only.
   */
  readonly concurrency?: number;
}

/** Options with their defaults filled in and their durations in milliseconds. */
export interface ResolvedOptions {
  readonly startFrom: ProcessorOptions['startFrom'];
  readonly partitions: number;
  readonly sequenceBy: ProcessorOptions['sequenceBy'];
  readonly batchSize: number;
  readonly attempts: number;
  readonly backoff: { readonly initial: number; readonly factor: number; readonly max: number };
  readonly worthRetrying: (error: unknown) => boolean;
  readonly onExhausted: 'park' | 'skip' | 'halt';
  readonly timeout: number;
  readonly concurrency: number;
}

/** Fills in defaults; what makes no sense goes to `findings`. */
export function resolveOptions(
  name: string,
  options: ProcessorOptions,
  delivery: DeliveryKind,
  findings: string[],
): ResolvedOptions {
  const whole = (option: string, value: number): number => {
    if (!Number.isInteger(value) || value < 1)
      findings.push(`${name}: ${option} is ${value}; it must be a whole number from 1.`);
    return value;
  };
  const time = (option: string, value: Duration): number => {
    try {
      return milliseconds(value);
    } catch (error) {
      findings.push(`${name}: ${option}: ${(error as Error).message}`);
      return 0;
    }
  };
  const { retry = {}, partitions = 1 } = options;
  if (![1, 2, 4, 8, 16, 32, 64, 128, 256].includes(partitions))
    findings.push(`${name}: partitions is ${partitions}; it must be a power of two from 1 to 256.`);
  const factor = retry.backoff?.factor ?? 3;
  if (!(factor >= 1)) findings.push(`${name}: retry.backoff.factor is ${factor}; it must be 1 or more.`);
  const initial = time('retry.backoff.initial', retry.backoff?.initial ?? 50);
  const max = time('retry.backoff.max', retry.backoff?.max ?? Math.max(initial, 600_000));
  if (max < initial) findings.push(`${name}: retry.backoff.max is shorter than retry.backoff.initial.`);
  const { startFrom } = options;
  if (typeof startFrom === 'object') {
    if ('position' in startFrom && startFrom.position < 0n)
      findings.push(`${name}: startFrom is after position ${startFrom.position}; positions count from 1.`);
    if ('timestamp' in startFrom && Number.isNaN(startFrom.timestamp.getTime()))
      findings.push(`${name}: startFrom is an invalid Date.`);
  }
  return {
    startFrom,
    partitions,
    sequenceBy: options.sequenceBy,
    batchSize: whole('batchSize', options.batchSize ?? 1000),
    attempts: whole('retry.attempts', retry.attempts ?? 10),
    backoff: { initial, factor, max },
    worthRetrying: retry.when ?? (() => true),
    onExhausted: options.onExhausted ?? 'park',
    timeout: time('timeout', options.timeout ?? (delivery === 'sync' ? '5s' : '30s')),
    concurrency: whole('concurrency', options.concurrency ?? 1),
  };
}
