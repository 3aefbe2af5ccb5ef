import type { Encoded } from '../../message/codec.ts';
import type { Awaitable } from '../../message/types.ts';
import { type EffectMark, IdempotencyStorageBackend } from '../../ports/idempotency.ts';
import type { SqliteUnits } from './unit-of-work.ts';

/** Marks of effects. Each is committed before the promise resolves. */
export class SqliteIdempotency extends IdempotencyStorageBackend {
  readonly #units: SqliteUnits;

  constructor(units: SqliteUnits) {
    super();
    this.#units = units;
  }

  read(key: string): EffectMark | undefined {
    const row = this.#units.read(undefined, (connection) => connection.rows('findMark').get(key));
    if (row === undefined) return undefined;
    const [state, data, types] = row as [EffectMark['state'], string, string | null];
    return state === 'done' ? { state, result: { data, types } } : { state };
  }

  start(key: string): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('startMark').run(key, Date.now());
    });
  }

  finish(key: string, { data, types }: Encoded): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('finishMark').run(key, data, types, Date.now());
    });
  }

  abandon(key: string): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('abandonMark').run(key);
    });
  }
}
