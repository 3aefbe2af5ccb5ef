import { InterlockError } from './interlock-error.ts';

/** One thing that is wrong with the way an application was put together, and the error behind it, where there is one. */
export interface Finding {
  readonly message: string;
  readonly cause?: unknown;
}

/**
 * `build()`, `startup()` or `replay()` refuses, or a decorator does. All findings come at once, each with advice, so that one run shows everything there is
 * to mend. What was thrown by factories, constructors and modules is the `cause`: that error, or an `AggregateError` of several.
 */
export class ConfigurationError extends InterlockError {
  readonly code = 'CONFIGURATION';
  readonly findings: readonly string[];

  /** @param headline what cannot be done because of them. */
  constructor(findings: readonly (string | Finding)[], headline = 'The application cannot be built') {
    const messages = findings.map((finding) => (typeof finding === 'string' ? finding : finding.message));
    const causes = findings.flatMap((finding) =>
      typeof finding !== 'string' && finding.cause !== undefined ? [finding.cause] : [],
    );
    super(
      `${headline}:${messages.map((message) => `\n- ${message}`).join('')}`,
      causes.length > 0 ? { cause: causes.length === 1 ? causes[0] : new AggregateError(causes) } : {},
    );
    this.findings = messages;
  }
}
