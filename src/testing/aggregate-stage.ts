import type { AggregateDefinition } from '../aggregate/definition.ts';
import { HostedAggregate } from '../aggregate/hosted-aggregate.ts';
import type { Aggregate } from '../blocks/aggregate.ts';
import type { CommandContext } from '../blocks/contexts.ts';
import { isPromise, within } from '../context/scope.ts';
import { UnknownEventError } from '../errors/unknown-event-error.ts';
import { UsageError } from '../errors/usage-error.ts';
import { decode, type Encoded, encode } from '../message/codec.ts';
import { revive } from '../message/define.ts';
import type { EventRegistry } from '../message/event-registry.ts';
import { messageClassOf, type MessageClass } from '../message/message.ts';
import type { Command, Event } from '../message/types.ts';
import type { FakeClock } from './fake-clock.ts';
import { type Stage, SubjectFailed } from './scenario.ts';
import type { SequentialIds } from './sequential-ids.ts';

/** What a command's handler is told about it. Whatever is left out is filled in. */
export interface WhenHeader {
  /** Left out: what the scenario's clock shows. */
  readonly timestamp?: Date;
  /** Left out: `''`. */
  readonly tenant?: string;
  /** Left out: `'correlation-1'`. */
  readonly correlationId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What became of a command. */
export interface Outcome {
  readonly emitted: readonly Event[];
  readonly result: unknown;
}

/** Where aggregates come from: built anew each time, or one that the test has made. */
export type Source = { readonly build: () => Aggregate } | { readonly instance: Aggregate };

interface Kept extends Encoded {
  readonly type: MessageClass<Event>;
}

/** An aggregate with its history. As in an application, every command meets an instance made from events alone. */
export class AggregateStage implements Stage {
  readonly name: string;
  readonly clock: FakeClock;
  readonly ids: SequentialIds;
  /** That of its first command. */
  id = 'aggregate-1';
  readonly #definition: AggregateDefinition;
  readonly #registry: EventRegistry;
  readonly #source: Source;
  readonly #history: Kept[] = [];
  /** The one instance, where the test has made it. */
  #only: HostedAggregate | undefined;
  #spoilt = false;

  constructor(
    definition: AggregateDefinition,
    source: Source,
    registry: EventRegistry,
    clock: FakeClock,
    ids: SequentialIds,
  ) {
    this.name = definition.type;
    this.clock = clock;
    this.ids = ids;
    this.#definition = definition;
    this.#source = source;
    this.#registry = registry;
  }

  open(): void {}
  close(): void {}

  /** Names of the commands it handles. */
  get handled(): string {
    const names = [...this.#definition.table.entries('command')].map(([type]) => (type as MessageClass).messageName);
    return names.length === 0 ? 'no command at all' : names.join(', ');
  }

  handles(command: Command): boolean {
    return this.#definition.table.get('command', messageClassOf(command)) !== undefined;
  }

  /** Adds to the history. @throws SubjectFailed if an applier throws */
  give(events: readonly Event[]): void {
    for (const event of events)
      if (!this.#registry.knows(event)) throw new UnknownEventError(messageClassOf(event).messageName, this.name);
    this.#remember(events);
    try {
      this.#current();
    } catch (error) {
      throw error instanceof UsageError ? error : new SubjectFailed(error);
    }
  }

  /** Runs a command on the state so far. @throws SubjectFailed, and then it leaves no trace */
  async run(command: Command, header: WhenHeader): Promise<Outcome> {
    encode(command); // a command with a key, and so each that a processor dispatches, has to be storable
    const hosted = this.#current();
    const undo = 'instance' in this.#source ? undoOf(hosted) : undefined;
    const handler = this.#definition.table.get('command', messageClassOf(command))!;
    const context = this.#contextOf(header);
    const scope = {
      tenant: context.tenant,
      correlationId: context.correlationId,
      messageId: 'command-1',
      headers: context.headers,
      session: undefined,
      transaction: undefined,
      trail: undefined,
      processor: undefined,
      open: true,
      holdsLock: true,
      lastNested: undefined,
    };
    try {
      const answer = within(scope, () => handler.call(hosted.aggregate, command, context));
      // A turn of the event loop more would let in what a synchronous handler emits too late.
      const result = isPromise(answer) ? await answer : answer;
      const emitted = hosted.close();
      const { data, types } = encode(result, `the result of ${messageClassOf(command).messageName}`);
      hosted.pending = [];
      this.#remember(emitted);
      // A handler caught what an applier threw: an application would drop this instance.
      this.#spoilt = undo !== undefined && hosted.spoilt;
      return { emitted, result: decode(data, types) };
    } catch (error) {
      hosted.close();
      if (undo !== undefined) this.#spoilt = !undo();
      throw new SubjectFailed(error);
    }
  }

  /** The aggregate as the next command would find it. */
  get state(): Aggregate {
    return this.#current().aggregate;
  }

  #remember(events: readonly Event[]): void {
    for (const event of events)
      this.#history.push({ ...encode(event), type: messageClassOf(event) as MessageClass<Event> });
  }

  #current(): HostedAggregate {
    if (this.#spoilt)
      throw new UsageError(
        `A command, or an applier within it, failed on the instance of ${this.#definition.class.name} that the test had made, and what it changed cannot be undone. Give the scenario the class.`,
      );
    const hosted = this.#hosted();
    for (let next = this.#history[hosted.version]; next !== undefined; next = this.#history[hosted.version])
      hosted.apply(revive(next.type, decode(next.data, next.types) as object), hosted.version + 1);
    return hosted;
  }

  #hosted(): HostedAggregate {
    const make = (aggregate: Aggregate): HostedAggregate =>
      new HostedAggregate(this.id, aggregate, this.#definition, this.#registry);
    if ('build' in this.#source) return make(this.#source.build());
    this.#only ??= make(this.#source.instance);
    return this.#only.reopen();
  }

  #contextOf({ timestamp, tenant = '', correlationId = 'correlation-1', headers = {} }: WhenHeader): CommandContext {
    return {
      timestamp: timestamp ?? this.clock.now(),
      tenant,
      correlationId,
      causationId: undefined,
      headers: Object.freeze({ ...headers }),
      signal: new AbortController().signal,
      newId: () => this.ids.next(),
    };
  }
}

/** Remembers an instance's state as a snapshot would; the answer puts it back, and says whether it could. */
function undoOf(hosted: HostedAggregate): () => boolean {
  const { aggregate, version } = hosted;
  const custom = aggregate.snapshot !== undefined && aggregate.restore !== undefined;
  let state: Encoded | undefined;
  try {
    state = encode(custom ? aggregate.snapshot?.() : Object.fromEntries(Object.entries(aggregate)));
  } catch {
    state = undefined; // found out here, of consequence only if the command fails
  }
  return () => {
    if (state === undefined) return false;
    const before = decode(state.data, state.types);
    if (custom) aggregate.restore?.(before as never);
    else {
      for (const key of Object.keys(aggregate)) delete (aggregate as unknown as Record<string, unknown>)[key];
      Object.assign(aggregate, before);
    }
    hosted.version = version;
    hosted.pending = [];
    return true;
  };
}
