/** What tracing needs of a span. A span of `@opentelemetry/api` fits. */
export interface Span {
  recordException(error: Error): void;
  /** 2 is OpenTelemetry's `SpanStatusCode.ERROR`. */
  setStatus(status: { code: 2; message: string }): unknown;
  end(): void;
}

/** Makes spans. A token; `trace.getTracer('my-app')` of `@opentelemetry/api` fits as it is. Without one nothing is traced. */
export abstract class Tracer {
  abstract startActiveSpan<T>(
    name: string,
    options: { attributes: Record<string, string> },
    work: (span: Span) => T,
  ): T;
}
