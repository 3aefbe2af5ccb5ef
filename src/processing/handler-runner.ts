import { LONGEST_TIMER } from '../message/duration.ts';
import type { RecordedContext } from '../blocks/contexts.ts';
import { bareScope, enter, isPromise, type Scope } from '../context/scope.ts';
import type { Trail } from '../context/trail.ts';
import type { Transaction } from '../context/transaction.ts';
import { HandlerTimeoutError } from '../errors/handler-timeout-error.ts';
import { decisionOf, type Decision } from '../blocks/outcome.ts';
import { messageClassOf } from '../message/message.ts';
import type { Awaitable } from '../message/types.ts';
import { handlerFor, type ProcessorDefinition } from './definition.ts';
import type { HandlerServices } from './handler-services.ts';
import type { Occurrence } from './occurrence.ts';
import { OccurrenceContext } from './occurrence-context.ts';

/** Calls handlers: in a scope of their own, within their time. */
export class HandlerRunner {
  readonly #services: HandlerServices;

  constructor(services: HandlerServices) {
    this.#services = services;
  }

  /**
   * Calls the handler for an event, if there is one. Answers at once where the handler does. Whatever it throws is its own
   * failure: nothing here fails for reasons of the store.
   */
  run(
    definition: ProcessorDefinition,
    occurrence: Occurrence,
    transaction: Transaction | undefined,
    trail?: Trail,
  ): Awaitable<Decision | undefined> {
    const handler = handlerFor(definition, messageClassOf(occurrence.event));
    if (handler === undefined) return undefined;
    const { header, event } = occurrence;
    const scope: Scope = {
      tenant: header.stream.tenant,
      correlationId: header.correlationId,
      messageId: header.eventId,
      headers: header.headers,
      session: transaction && { kind: 'unit', unit: transaction.unit },
      transaction,
      trail: trail && { name: header.name, parent: trail, depth: trail.depth },
      processor: definition.name,
      open: true,
      holdsLock: false,
      lastNested: undefined,
    };
    const context = new OccurrenceContext(occurrence, definition.name, this.#services, scope);
    let result: unknown;
    try {
      result = enter(scope, () => handler.call(definition.instance, event, context));
    } catch (error) {
      scope.open = false;
      throw error;
    }
    // What it dispatched into its transaction and did not await is still its work: nobody may deliver or commit meanwhile.
    if (isPromise(result) || scope.lastNested !== undefined)
      return inTime(Promise.resolve(result), definition, occurrence, context, scope);
    scope.open = false;
    return result === undefined ? undefined : decisionOf(result);
  }

  /** The context of an occurrence that is looked at and not handled, as `sequenceBy` does. */
  contextOf(definition: ProcessorDefinition, occurrence: Occurrence): RecordedContext {
    const { header } = occurrence;
    const closed = { ...bareScope(undefined), tenant: header.stream.tenant, processor: definition.name, open: false };
    return new OccurrenceContext(occurrence, definition.name, this.#services, closed);
  }
}

/** Turns of the microtask queue in which most asynchronous handlers over local data are done. */
const QUICK = 3;
const NEXT = Promise.resolve();

/** Waits for a handler, and for what it dispatched, as long as its time lasts; then it is over, whatever it still does. */
async function inTime(
  result: Promise<unknown>,
  definition: ProcessorDefinition,
  { header }: Occurrence,
  context: OccurrenceContext,
  scope: Scope,
): Promise<Decision | undefined> {
  const ended = { is: false };
  const settle = (): void => {
    ended.is = true;
    scope.open = false;
  };
  result.then(settle, settle);
  // A timer for every event would cost more than all else that happens to it.
  for (let turn = 0; turn < QUICK && !ended.is; turn++) await NEXT;
  if (ended.is && scope.lastNested === undefined) return decisionOf(await result);
  const { timeout } = definition.options;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      const error = new HandlerTimeoutError(definition.name, header.name, timeout);
      scope.open = false;
      context.timedOut(error);
      reject(error);
    },
    Math.min(timeout, LONGEST_TIMER),
  );
  try {
    const value = await Promise.race([result, late]);
    if (scope.lastNested !== undefined) await Promise.race([scope.lastNested, late]);
    return decisionOf(value);
  } finally {
    clearTimeout(timer);
  }
}
