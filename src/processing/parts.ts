import type { Signal } from '../context/signal.ts';
import type { Transaction } from '../context/transaction.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import type { EventSource } from '../ports/event-source.ts';
import type { ProcessorStore } from '../ports/processor-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { HandlerRunner } from './handler-runner.ts';
import type { Retries } from './retries.ts';

/** What everything in this room works with. */
export interface ProcessingParts {
  readonly store: {
    readonly processors: ProcessorStore;
    readonly unitOfWork: UnitOfWork;
    /** Lease time in milliseconds. */
    readonly lease: number;
  };
  readonly source: EventSource;
  readonly registry: EventRegistry;
  readonly runner: HandlerRunner;
  /** Runs the synchronous processors over what a handler's commands appended in its transaction. */
  readonly deliverPending: (transaction: Transaction) => Promise<void>;
  readonly logger: Logger;
  readonly retries: Retries;
  /** Notified when a checkpoint moved, or something about a processor changed. */
  readonly advanced: Signal;
  /** Who this process is, for leases: `host:pid:thread-random`. */
  readonly owner: string;
}
