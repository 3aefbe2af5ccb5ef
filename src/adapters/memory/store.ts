import type { Awaitable } from '../../message/types.ts';
import type { Store, StoreCapabilities } from '../../ports/store.ts';
import { MemoryEventStore } from './event-store.ts';
import { MemoryIdempotency } from './idempotency.ts';
import { Log } from './log.ts';
import { MemoryProcessorStore } from './processor-store.ts';
import { MemorySnapshotStore } from './snapshot-store.ts';
import { UnitQueue } from './unit-of-work.ts';

/** A store that lives as long as the object does. */
export class MemoryStore implements Store {
  readonly name = 'memory';
  readonly capabilities: StoreCapabilities = { durable: false, sessions: false, concurrentUnits: false, shared: false };
  readonly sessions = [];
  readonly events: MemoryEventStore;
  readonly unitOfWork: UnitQueue;
  readonly processors: MemoryProcessorStore;
  readonly snapshots = new MemorySnapshotStore();
  readonly effects = new MemoryIdempotency();
  readonly lease: number;

  constructor(lease: number, now: () => Date) {
    const log = new Log();
    this.lease = lease;
    this.unitOfWork = new UnitQueue(log);
    this.events = new MemoryEventStore(log, this.unitOfWork);
    this.processors = new MemoryProcessorStore(this.unitOfWork, now);
  }

  open(): void {}

  close(): Awaitable<void> {
    return this.unitOfWork.write(() => undefined);
  }
}
