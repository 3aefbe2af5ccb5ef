import { LRUCache } from 'lru-cache';
import type { Logger } from '../telemetry/logger.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import { isPromise } from '../context/scope.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import type { StreamId } from '../message/recorded-event.ts';
import type { Awaitable, Constructible } from '../message/types.ts';
import type { EventStore, StreamPage } from '../ports/event-store.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { Unit } from '../ports/unit-of-work.ts';
import type { AggregateDefinition } from './definition.ts';
import { HostedAggregate } from './hosted-aggregate.ts';
import { Snapshots } from './snapshots.ts';

/** Events in one page of a stream: bounds the memory of loading, large enough that most streams need one page. */
const PAGE = 500;

/**
 * Brings aggregates to life from cache, snapshot and history. Works without a turn of the event loop where the store answers at
 * once: in memory that turn would cost more than all the rest.
 */
export class Repository {
  readonly #events: EventStore;
  readonly #registry: EventRegistry;
  readonly #construct: (type: Constructible<Aggregate>) => Aggregate;
  readonly #snapshots: Snapshots;
  readonly #caches = new Map<AggregateDefinition, LRUCache<string, HostedAggregate>>();

  constructor(
    store: { readonly events: EventStore; readonly snapshots: SnapshotStore },
    registry: EventRegistry,
    construct: (type: Constructible<Aggregate>) => Aggregate,
    logger: Logger,
  ) {
    this.#events = store.events;
    this.#registry = registry;
    this.#construct = construct;
    this.#snapshots = new Snapshots(store.snapshots, logger);
  }

  /** The aggregate with its whole history applied. In a unit, without cache and snapshot: the unit may be ahead of both. */
  load(definition: AggregateDefinition, stream: StreamId, unit?: Unit): Awaitable<HostedAggregate> {
    if (unit !== undefined) return this.#read(this.#fresh(definition, stream), stream, unit);
    const cached = this.#takeCached(definition, stream);
    if (cached !== undefined) return this.#read(cached, stream);
    if (definition.snapshotEvery === undefined) return this.#read(this.#fresh(definition, stream), stream);
    return this.#snapshots
      .restore(stream, () => this.#fresh(definition, stream))
      .then((hosted) => this.#read(hosted, stream));
  }

  /** The aggregate as it was at `sequence`, to look at. */
  async at(
    definition: AggregateDefinition,
    stream: StreamId,
    sequence = Number.MAX_SAFE_INTEGER,
  ): Promise<HostedAggregate> {
    return this.#read(this.#fresh(definition, stream), stream, undefined, sequence);
  }

  /** After its events are stored: keeps the aggregate for the next command, and a snapshot where one is due. */
  stored(hosted: HostedAggregate, stream: StreamId, before: number): void {
    const { definition } = hosted;
    if (hosted.pending.length > 0) hosted.pending = [];
    if (hosted.spoilt) return;
    if (definition.snapshotEvery !== undefined) {
      const every = definition.snapshotEvery;
      if (Math.floor(hosted.version / every) > Math.floor(before / every)) this.#snapshots.save(hosted, stream);
    }
    if (definition.cacheSize > 0) this.#cacheOf(definition).set(cacheKey(stream), hosted);
  }

  /** Resolves when the snapshots under way are stored. */
  settled(): Promise<void> {
    return this.#snapshots.settled();
  }

  // Taken out while in use: a command that fails leaves a changed instance behind, which nobody may see.
  #takeCached(definition: AggregateDefinition, stream: StreamId): HostedAggregate | undefined {
    if (definition.cacheSize === 0) return undefined;
    const cache = this.#cacheOf(definition);
    const key = cacheKey(stream);
    const hosted = cache.get(key);
    if (hosted === undefined) return undefined;
    cache.delete(key);
    return hosted.reopen();
  }

  #cacheOf(definition: AggregateDefinition): LRUCache<string, HostedAggregate> {
    let cache = this.#caches.get(definition);
    if (cache === undefined) this.#caches.set(definition, (cache = new LRUCache({ max: definition.cacheSize })));
    return cache;
  }

  #fresh(definition: AggregateDefinition, stream: StreamId): HostedAggregate {
    return new HostedAggregate(stream.id, this.#construct(definition.class), definition, this.#registry);
  }

  #read(
    hosted: HostedAggregate,
    stream: StreamId,
    unit?: Unit,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Awaitable<HostedAggregate> {
    for (;;) {
      const pages = this.#events.load([{ stream, after: hosted.version, limit: PAGE, bare: true }], unit);
      if (isPromise(pages))
        return pages.then(([page]) => {
          if (page!.version < hosted.version) return this.#read(this.#anew(hosted, stream), stream, unit, upTo);
          return this.#apply(hosted, page!, upTo) ? hosted : this.#read(hosted, stream, unit, upTo);
        });
      const page = pages[0]!;
      if (page.version < hosted.version) hosted = this.#anew(hosted, stream);
      else if (this.#apply(hosted, page, upTo)) return hosted;
    }
  }

  /** For a snapshot ahead of its stream, as after a backup was restored: only the stream is the truth. */
  #anew({ definition }: HostedAggregate, stream: StreamId): HostedAggregate {
    return this.#fresh(definition, stream);
  }

  /** True when there is nothing more to read. */
  #apply(hosted: HostedAggregate, page: StreamPage, upTo: number): boolean {
    const { events } = page;
    for (let i = 0; i < events.length; i++) {
      const stored = events[i]!;
      if (stored.sequence > upTo) return true;
      hosted.apply(this.#registry.read(stored), stored.sequence);
    }
    return events.length === 0 || hosted.version >= page.version;
  }
}

// A tenant holds no \0 (dispatch refuses it), so this key is unambiguous.
function cacheKey({ tenant, id }: StreamId): string {
  return tenant === '' ? `\0${id}` : `${tenant}\0${id}`;
}
