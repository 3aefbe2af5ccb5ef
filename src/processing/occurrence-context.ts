import type { EventContext } from '../blocks/contexts.ts';
import type { Scope } from '../context/scope.ts';
import { ResultGoneError } from '../errors/result-gone-error.ts';
import type { Awaitable, Command, ResultOf } from '../message/types.ts';
import type { HandlerServices } from './handler-services.ts';
import { keyPrefix, type Occurrence } from './occurrence.ts';
import { once, type OnceOptions } from './once.ts';

/**
 * What a handler is told. Made once an event, so it holds no closure until one is asked for: `once`, `dispatch` and `signal` are
 * getters that work taken apart (`{ once }`) too.
 */
export class OccurrenceContext implements EventContext {
  readonly #occurrence: Occurrence;
  readonly #processor: string;
  readonly #services: HandlerServices;
  readonly #scope: Scope;
  #timeout: AbortController | undefined;
  #dispatched = 0;

  constructor(occurrence: Occurrence, processor: string, services: HandlerServices, scope: Scope) {
    this.#occurrence = occurrence;
    this.#processor = processor;
    this.#services = services;
    this.#scope = scope;
  }

  get aggregateId(): string {
    return this.#occurrence.header.stream.id;
  }
  get aggregateType(): string {
    return this.#occurrence.header.stream.type;
  }
  get tenant(): string {
    return this.#occurrence.header.stream.tenant;
  }
  get sequence(): number {
    return this.#occurrence.header.sequence;
  }
  get position(): bigint {
    return this.#occurrence.header.position;
  }
  get timestamp(): Date {
    // A copy: a store in memory gives the same Date to everybody.
    return new Date(this.#occurrence.header.timestamp);
  }
  get eventId(): string {
    return this.#occurrence.header.eventId;
  }
  get correlationId(): string {
    return this.#occurrence.header.correlationId;
  }
  get causationId(): string | undefined {
    return this.#occurrence.header.causationId;
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#occurrence.header.headers;
  }
  get attempt(): number {
    return this.#occurrence.attempt;
  }
  get replaying(): boolean {
    return this.#occurrence.replaying;
  }
  get newId(): () => string {
    return this.#services.newId;
  }

  get signal(): AbortSignal {
    this.#timeout ??= new AbortController();
    return AbortSignal.any([this.#occurrence.signal, this.#timeout.signal]);
  }

  get once(): <T>(key: string, effect: (idempotencyKey: string) => Awaitable<T>, options?: OnceOptions) => Promise<T> {
    return (key, effect, options) =>
      once(this.#services, this.#processor, this.#occurrence, this.#scope, key, effect, options);
  }

  get dispatch(): <C extends Command>(command: C) => Promise<ResultOf<C>> {
    return (command) => {
      const key = `${keyPrefix(this.#processor, this.#occurrence)}/${++this.#dispatched}`;
      const { replaying, replayEffects } = this.#occurrence;
      if (replaying && !replayEffects) return this.#kept(command, key);
      return this.#services.dispatcher().dispatch(command, key, this.#scope);
    };
  }

  async #kept<C extends Command>(command: C, key: string): Promise<ResultOf<C>> {
    const kept = await this.#services.dispatcher().kept(command, key, this.#scope);
    if (kept === undefined) throw new ResultGoneError(this.#processor, `a command it dispatched (${key})`);
    return kept.result;
  }

  /** The time is up: what looks at `signal` stops. */
  timedOut(reason: Error): void {
    (this.#timeout ??= new AbortController()).abort(reason);
  }
}
