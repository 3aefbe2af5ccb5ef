import { Aggregate, type AggregateHost } from '../blocks/aggregate.ts';
import { NotStorableError } from '../errors/not-storable-error.ts';
import { UnknownEventError } from '../errors/unknown-event-error.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import { messageClassOf, typeOf, unstorable } from '../message/message.ts';
import type { Event } from '../message/types.ts';
import type { Handler } from '../routing/handler-table.ts';
import type { AggregateDefinition } from './definition.ts';

/** One aggregate in memory: the instance, its place, and what the running command has emitted. */
export class HostedAggregate implements AggregateHost {
  readonly id: string;
  readonly aggregate: Aggregate;
  readonly definition: AggregateDefinition;
  readonly #registry: EventRegistry;
  // Events of one class often come in a row.
  #lastType: object | undefined;
  #lastApplier: Handler | undefined;
  version = 0;
  /** Emitted and not stored yet, in order. */
  pending: Event[] = [];

  constructor(id: string, aggregate: Aggregate, definition: AggregateDefinition, registry: EventRegistry) {
    this.id = id;
    this.aggregate = aggregate;
    this.definition = definition;
    this.#registry = registry;
    Aggregate.host(aggregate, this);
  }

  emit(aggregate: Aggregate, event: Event): void {
    if (!this.#registry.knows(event)) throw new UnknownEventError(nameOf(event), this.definition.type);
    const found = unstorable(event);
    if (found !== undefined) throw new NotStorableError(nameOf(event), found.path, found.found);
    this.definition.appliers.get(messageClassOf(event))?.call(aggregate, event);
    this.version++;
    this.pending.push(event);
  }

  /** Applies an event of its history. */
  apply(event: Event, sequence: number): void {
    const type = messageClassOf(event);
    if (type !== this.#lastType) {
      this.#lastType = type;
      this.#lastApplier = this.definition.appliers.get(type);
    }
    this.#lastApplier?.call(this.aggregate, event);
    this.version = sequence;
  }
}

function nameOf(event: Event): string {
  return typeOf(event)?.messageName ?? String(event);
}
