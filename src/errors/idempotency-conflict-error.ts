import { InterlockError } from './interlock-error.ts';

/** An idempotency key was used before, by a command of that type with another payload. Nothing was stored. */
export class IdempotencyConflictError extends InterlockError {
  readonly code = 'IDEMPOTENCY_CONFLICT';
  readonly commandName: string;
  readonly key: string;

  constructor(commandName: string, key: string) {
    super(
      `The idempotency key ${JSON.stringify(key)} belongs to an earlier ${commandName} with another payload. A key stands for one request: use a new one.`,
    );
    this.commandName = commandName;
    this.key = key;
  }
}
