import { messageOf } from '../errors/message-of.ts';
import type { MessageContext } from '../blocks/contexts.ts';
import { inject } from '../container/inject.ts';
import { Command, Query } from '../message/define.ts';
import { kindOf, messageClassOf } from '../message/message.ts';
import { routes } from '../routing/routes.ts';
import { Tracer } from '../telemetry/tracer.ts';

/** Makes a span of every command and query, with the registered `Tracer`. */
export class TracingMiddleware {
  static {
    routes(this).intercepts(Command, 'trace').intercepts(Query, 'trace');
  }
  readonly #tracer: Tracer;

  constructor(tracer: Tracer = inject(Tracer)) {
    this.#tracer = tracer;
  }

  trace(message: object, next: () => Promise<unknown>, { correlationId, tenant }: MessageContext): Promise<unknown> {
    const type = messageClassOf(message);
    const attributes = {
      'interlock.message': type.messageName,
      'interlock.kind': kindOf(type) ?? 'message',
      'interlock.correlation_id': correlationId,
      ...(tenant === '' ? {} : { 'interlock.tenant': tenant }),
    };
    return this.#tracer.startActiveSpan(type.messageName, { attributes }, async (span) => {
      try {
        return await next();
      } catch (error) {
        span.recordException(error instanceof Error ? error : new Error(String(error)));
        span.setStatus({ code: 2, message: messageOf(error) });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}
