import type { MessageContext } from '../blocks/contexts.ts';
import { UsageError } from '../errors/usage-error.ts';
import { messageClassOf } from '../message/message.ts';
import { type Handler, handlerTable } from './handler-table.ts';

interface Step {
  readonly instance: object;
  readonly handler: Handler;
}

/** Middleware in the order of registration: the first is the outermost. */
export class MiddlewareChain {
  readonly #instances: readonly object[];
  readonly #steps = new Map<object, readonly Step[]>();

  constructor(instances: readonly object[]) {
    this.#instances = instances;
  }

  get isEmpty(): boolean {
    return this.#instances.length === 0;
  }

  /** Runs `last` behind every middleware that intercepts this message; `all` is the factory that stands for its kind. */
  run(all: object, message: object, context: MessageContext, last: () => Promise<unknown>): Promise<unknown> {
    const steps = this.#stepsFor(messageClassOf(message), all);
    const from = (index: number): Promise<unknown> => {
      const step = steps[index];
      if (step === undefined) return last();
      const { instance, handler } = step;
      let called = false;
      const next = (): Promise<unknown> => {
        if (called)
          return Promise.reject(
            new UsageError(`${handler.label} called next() a second time: a message is handled once.`),
          );
        called = true;
        return from(index + 1);
      };
      // A middleware that throws before its first await rejects like one that throws after it.
      return new Promise((resolve) => resolve(handler.call(instance, message, next, context)));
    };
    return from(0);
  }

  #stepsFor(type: Function, all: object): readonly Step[] {
    let steps = this.#steps.get(type);
    if (steps === undefined) {
      steps = this.#instances.flatMap((instance) => {
        const handler = interceptor(instance, type, all);
        return handler === undefined ? [] : [{ instance, handler }];
      });
      this.#steps.set(type, steps);
    }
    return steps;
  }
}

// The nearest class wins, then the factory: one middleware sees a message once.
function interceptor(instance: object, type: Function, all: object): Handler | undefined {
  const table = handlerTable(instance.constructor);
  for (let level: unknown = type; typeof level === 'function'; level = Object.getPrototypeOf(level)) {
    const handler = table.get('intercepts', level);
    if (handler !== undefined) return handler;
  }
  return table.get('intercepts', all);
}
