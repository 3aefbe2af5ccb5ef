import { Aggregate, type AggregateHost } from '../blocks/aggregate.ts';
import { currentScope } from '../context/scope.ts';
import { NotStorableError } from '../errors/not-storable-error.ts';
import { UnknownEventError } from '../errors/unknown-event-error.ts';
import { UsageError } from '../errors/usage-error.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import { messageClassOf, unstorable } from '../message/message.ts';
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
  /** An applier threw half-way: these fields are not what the events say. */
  spoilt = false;
  /** It has handled a command before this one, which may have left something running. */
  #reused = false;
  /** Why nothing may be emitted now. */
  #refusing: string | undefined;

  constructor(id: string, aggregate: Aggregate, definition: AggregateDefinition, registry: EventRegistry) {
    this.id = id;
    this.aggregate = aggregate;
    this.definition = definition;
    this.#registry = registry;
    Aggregate.host(aggregate, this);
  }

  emit(aggregate: Aggregate, event: Event): void {
    const refusing = this.#refusing ?? (this.#reused && currentScope()?.open === false ? CLOSED : undefined);
    if (refusing !== undefined) throw new UsageError(`${this.definition.type} emitted ${nameOf(event)} ${refusing}`);
    if (!this.#registry.knows(event)) throw new UnknownEventError(nameOf(event), this.definition.type);
    const found = unstorable(event);
    if (found !== undefined) throw new NotStorableError(nameOf(event), found.path, found.found);
    const applier = this.definition.appliers.get(messageClassOf(event));
    if (applier !== undefined) this.#applyNew(applier, aggregate, event);
    this.version++;
    this.pending.push(event);
  }

  /** The events of the command that ends now. From here on none is taken, since none would be stored. */
  close(): readonly Event[] {
    this.#refusing = CLOSED;
    return this.pending;
  }

  /** For the next command. */
  reopen(): this {
    this.#refusing = undefined;
    this.#reused = true;
    return this;
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

  #applyNew(applier: Handler, aggregate: Aggregate, event: Event): void {
    this.#refusing = APPLYING;
    try {
      applier.call(aggregate, event);
    } catch (error) {
      this.spoilt = true;
      throw error;
    } finally {
      this.#refusing = undefined;
    }
  }
}

// An event that an applier emits would be emitted again each time the history is read.
const APPLYING = 'while an event is being applied: appliers change fields, command handlers emit.';
const CLOSED = 'while no command of it is being handled: is an await missing in the handler?';

function nameOf(event: Event): string {
  return messageClassOf(event).messageName;
}
