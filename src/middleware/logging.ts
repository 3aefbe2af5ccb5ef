import type { MessageContext } from '../blocks/contexts.ts';
import { inject } from '../container/inject.ts';
import { Command, Query } from '../message/define.ts';
import { messageClassOf } from '../message/message.ts';
import { routes } from '../routing/routes.ts';
import { Logger, SafeLogger } from '../telemetry/logger.ts';

/**
 * Says of every command and query how long it took and how it ended, to the `Logger`: successes at debug level, failures as
 * warnings. Names and ids only; no payloads.
 */
export class LoggingMiddleware {
  static {
    routes(this).intercepts(Command, 'log').intercepts(Query, 'log');
  }
  readonly #logger: Logger;

  constructor(logger: Logger = inject(Logger)) {
    // A command that was stored must not look as if it had failed.
    this.#logger = new SafeLogger(logger);
  }

  async log(
    message: object,
    next: () => Promise<unknown>,
    { correlationId, tenant }: MessageContext,
  ): Promise<unknown> {
    const { messageName } = messageClassOf(message);
    const began = performance.now();
    const fields = (): Record<string, unknown> => ({
      message: messageName,
      correlationId,
      tenant,
      milliseconds: Math.round((performance.now() - began) * 100) / 100,
    });
    try {
      const result = await next();
      this.#logger.debug(`${messageName} done`, fields());
      return result;
    } catch (error) {
      this.#logger.warn(`${messageName} failed`, {
        ...fields(),
        error: error instanceof Error ? error.name : typeof error,
      });
      throw error;
    }
  }
}
