import type { Aggregate } from '../blocks/aggregate.ts';
import { KeyedLock } from '../context/keyed-lock.ts';
import type { Constructible } from '../message/types.ts';
import { handlerTable, type Handler, type HandlerTable } from '../routing/handler-table.ts';
import type { AggregateOptions } from './options.ts';

/** An aggregate class as it may be registered. */
export type AggregateClass = Constructible<Aggregate> & {
  readonly aggregateType?: string;
  readonly snapshotVersion?: number;
  /** Its options where `conventionBased` finds it; those of `registerAggregate` stand in their place. */
  readonly aggregateOptions?: AggregateOptions;
};

/** A registered aggregate: its name, its handlers, and what is kept of its instances between commands. */
export class AggregateDefinition {
  readonly type: string;
  readonly named: boolean;
  readonly class: AggregateClass;
  readonly table: HandlerTable;
  readonly appliers: ReadonlyMap<object, Handler>;
  readonly snapshotEvery: number | undefined;
  readonly snapshotVersion: number;
  readonly concurrencyRetries: number;
  /** How many aggregates are kept in memory between commands; 0: none. */
  readonly cacheSize: number;
  /** Commands to one aggregate run in turn. */
  readonly locks = new KeyedLock();

  /** @throws ConfigurationError for a table that contradicts itself. */
  constructor(type: AggregateClass, options: AggregateOptions = {}) {
    this.named =
      Object.hasOwn(type, 'aggregateType') && typeof type.aggregateType === 'string' && type.aggregateType !== '';
    this.type = this.named ? (type.aggregateType as string) : type.name;
    this.class = type;
    this.table = handlerTable(type);
    this.appliers = new Map(this.table.entries('applies'));
    this.snapshotEvery = options.snapshotEvery;
    this.snapshotVersion = type.snapshotVersion ?? 1;
    this.concurrencyRetries = options.concurrencyRetries ?? 3;
    this.cacheSize = options.cache === true ? 10_000 : options.cache ? options.cache.max : 0;
  }
}
