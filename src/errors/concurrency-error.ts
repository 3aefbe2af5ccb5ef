import { InterlockError } from './interlock-error.ts';

/**
 * The stream moved on since the command loaded it, and `concurrencyRetries` are used up; or `expectedVersion` was not what
 * the stream has. Nothing was stored. Load again and decide again.
 */
export class ConcurrencyError extends InterlockError {
  readonly code = 'CONCURRENCY';
  readonly tenant: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The version that the command decided on. */
  readonly expected: number;
  /** The version in the store. */
  readonly actual: number;

  constructor(stream: { tenant: string; type: string; id: string }, expected: number, actual: number) {
    super(
      `${stream.type} ${JSON.stringify(stream.id)} is at version ${actual}, not ${expected}: somebody else changed it. Nothing was stored; load and decide again.`,
    );
    this.tenant = stream.tenant;
    this.aggregateType = stream.type;
    this.aggregateId = stream.id;
    this.expected = expected;
    this.actual = actual;
  }
}
