import { InterlockError } from './interlock-error.ts';

/** One thing that is wrong with a payload. */
export interface Issue {
  /** Keys from the payload down to the value; empty: the payload as a whole. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * Your code constructed a message from a payload that its schema refuses, that is no plain object, or that names no
 * aggregate where a command must. Never thrown for history: what was valid when stored stays readable.
 */
export class ValidationError extends InterlockError {
  readonly code = 'VALIDATION';

  /** The durable name of the message that was refused. */
  readonly messageName: string;

  /** All that is wrong, at least one. */
  readonly issues: readonly Issue[];

  constructor(messageName: string, issues: readonly Issue[]) {
    super(`'${messageName}' was refused: ${issues.map(describe).join('; ')}.`);
    this.messageName = messageName;
    this.issues = issues;
  }
}

function describe({ path, message }: Issue): string {
  const said = message.replace(/\.$/, '');
  return path.length === 0 ? said : `${path.map(String).join('.')}: ${said}`;
}
