import { inspectable, messageOf } from '../errors/message-of.ts';
import type { Decision } from '../blocks/outcome.ts';
import { isPromise } from '../context/scope.ts';
import type { PendingDelivery, Transaction } from '../context/transaction.ts';
import { chainOf } from '../context/trail.ts';
import { DispatchDepthError } from '../errors/dispatch-depth-error.ts';
import { ProcessorFailedError } from '../errors/processor-failed-error.ts';
import { revive } from '../message/define.ts';
import { isShareable, messageClassOf } from '../message/message.ts';
import { copyOf } from '../message/plain.ts';
import type { Class, Event } from '../message/types.ts';
import { handlerFor, type ProcessorDefinition } from '../processing/definition.ts';
import type { HandlerRunner } from '../processing/handler-runner.ts';

/** Events that handlers may cause in one transaction: a circle that branches grows too fast for the limit of depth. */
const MOST_CAUSED = 1_000;

/**
 * Synchronous delivery: processors run in the transaction of the append, in the order of registration, each event through all
 * of them before the next. What their handlers dispatch queues behind: log order.
 */
export class SynchronousProcessors {
  readonly #definitions: readonly ProcessorDefinition[];
  readonly #runner: HandlerRunner;
  readonly #shutdown: AbortSignal;
  readonly #byEvent = new Map<object, readonly ProcessorDefinition[]>();

  constructor(definitions: readonly ProcessorDefinition[], runner: HandlerRunner, shutdown: AbortSignal) {
    this.#definitions = definitions;
    this.#runner = runner;
    this.#shutdown = shutdown;
  }

  /** Whether any processor handles any of these events: if not, no transaction is needed around their append. */
  want(events: readonly Event[]): boolean {
    if (this.#definitions.length === 0) return false;
    for (const event of events) if (this.#for(event).length > 0) return true;
    return false;
  }

  /**
   * Delivers what waits in the transaction, and what that causes, until nothing is left.
   * @throws ProcessorFailedError at the first failure; the transaction must then be rolled back.
   * @throws DispatchDepthError if there is no end to it
   */
  async deliver(transaction: Transaction): Promise<void> {
    let room = transaction.pending.length + MOST_CAUSED;
    for (let next = transaction.pending.shift(); next !== undefined; next = transaction.pending.shift()) {
      if (--room < 0)
        throw new DispatchDepthError(
          `More than ${MOST_CAUSED.toLocaleString('en')} events were caused in one transaction`,
          next.trail === undefined ? [next.header.name] : [...chainOf(next.trail), next.header.name],
        );
      for (const definition of this.#for(next.event)) {
        const running = this.#deliverTo(definition, next, transaction);
        if (running !== undefined) await running;
      }
    }
  }

  #deliverTo(
    definition: ProcessorDefinition,
    { event, header, trail }: PendingDelivery,
    transaction: Transaction,
  ): Promise<void> | undefined {
    const failed = (why: string, cause?: unknown): never => {
      throw new ProcessorFailedError(definition.name, header.name, why, { cause });
    };
    const check = (decision: Decision | undefined): void => {
      if (decision !== undefined && decision.kind !== 'skip') failed(`it returned ${decision.kind}: ${decision.why}`);
    };
    const threw = (thrown: unknown): never => {
      const error = inspectable(thrown);
      // It names the whole chain already; wrapped once for every link it would not be found.
      if (error instanceof DispatchDepthError) throw error;
      return failed(messageOf(error), error);
    };
    const occurrence = {
      // What cannot be frozen is copied, so that no handler changes what another sees.
      event: isShareable(event) ? event : revive(messageClassOf(event) as Class<Event>, copyOf(event)),
      header,
      attempt: 1,
      replaying: false,
      replayEffects: false,
      signal: this.#shutdown,
    };
    let result;
    try {
      result = this.#runner.run(definition, occurrence, transaction, trail);
    } catch (error) {
      return threw(error);
    }
    if (isPromise(result)) return result.then(check, threw);
    check(result);
    return undefined;
  }

  #for(event: Event): readonly ProcessorDefinition[] {
    const type = messageClassOf(event);
    let found = this.#byEvent.get(type);
    if (found === undefined) {
      found = this.#definitions.filter((definition) => handlerFor(definition, type) !== undefined);
      this.#byEvent.set(type, found);
    }
    return found;
  }
}
