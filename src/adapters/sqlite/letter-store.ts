import { LeaseLostError } from '../../errors/lease-lost-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type { Letter, LetterChange, LetterQuery, LetterStore, SequenceClaim } from '../../ports/letter-store.ts';
import type { Unit } from '../../ports/unit-of-work.ts';
import type { Connection } from './connection.ts';
import { isDead, newOwner } from './owner.ts';
import { letterOf, letterValues, lettersOf } from './rows.ts';
import type { SqliteUnits } from './unit-of-work.ts';

/** Letters in SQLite. */
export class SqliteLetterStore implements LetterStore {
  readonly #units: SqliteUnits;

  constructor(units: SqliteUnits) {
    this.#units = units;
  }

  page(query: LetterQuery, options: { readonly after?: Letter | undefined; readonly limit: number }): Letter[] {
    const { after, limit } = options;
    const start = {
      afterProcessor: after?.processor ?? '',
      afterPosition: after?.position ?? -1n,
      afterCursor: after?.cursor ?? '',
      afterId: after?.id ?? '',
    };
    return this.#units.read(undefined, (connection) => {
      return lettersOf(
        connection.bigRows('letterPage').all({ ...filter(query), ...start, limit: Math.min(limit, 1e9) }),
      );
    });
  }

  count(query: LetterQuery): number {
    return this.#units.read(undefined, (connection) => connection.value('countLetters').get(filter(query)) as number);
  }

  find(id: string): Letter | undefined {
    return this.#units.read(undefined, (connection) => letterOf(connection.bigRows('findLetter').get(id)));
  }

  sequences(processor: string, partition: number): string[] {
    return this.#units.read(undefined, (connection) => {
      return connection.value('sequences').all(processor, partition) as string[];
    });
  }

  due(processor: string, partition: number, now: Date, limit: number): string[] {
    return this.#units.read(undefined, (connection) => {
      const keys: string[] = [];
      const rows = connection.rows('due').iterate({ processor, partition, now: now.getTime() });
      for (const [key, token] of rows as IterableIterator<[string, string | null]>) {
        if (token === null || isDead(token)) keys.push(key);
        if (keys.length === limit) break;
      }
      return keys;
    });
  }

  nextDue(processor: string, partition: number): Date | undefined {
    const at = this.#units.read(undefined, (connection) => connection.value('nextDue').get({ processor, partition }));
    return typeof at === 'number' ? new Date(at) : undefined;
  }

  claim(processor: string, sequenceKey: string, milliseconds: number): Awaitable<SequenceClaim | undefined> {
    return this.#units.write(undefined, (writer) => {
      const held = writer.rows('findClaim').get(processor, sequenceKey) as
        | [token: string, expiresAt: number]
        | undefined;
      if (held !== undefined && held[1] > Date.now() && !isDead(held[0])) return undefined;
      if (writer.value('hasLetters').get(processor, sequenceKey) === undefined) return undefined;
      const token = newOwner();
      writer.plain('saveClaim').run(processor, sequenceKey, token, Date.now() + milliseconds);
      return { processor, sequenceKey, token };
    });
  }

  release({ processor, sequenceKey, token }: SequenceClaim): Awaitable<void> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('releaseClaim').run(processor, sequenceKey, token);
    });
  }

  first(processor: string, sequenceKey: string, unit?: Unit): Letter | undefined {
    return this.#units.read(unit, (connection) => {
      return letterOf(connection.bigRows('firstLetter').get(processor, sequenceKey));
    });
  }

  settle(
    { processor, sequenceKey, token }: SequenceClaim,
    id: string,
    letter: Letter | undefined,
    milliseconds: number,
    unit?: Unit,
  ): Awaitable<void> {
    return this.#units.write(unit, (writer) => {
      const now = Date.now();
      const { changes } = writer.plain('prolongClaim').run(now + milliseconds, processor, sequenceKey, token);
      if (changes === 0) throw new LeaseLostError(`the parked sequence ${sequenceKey} of ${processor}`);
      if (letter !== undefined) replace(writer, id, letter);
      else if (writer.plain('removeLetter').run(id).changes === 1) {
        writer.plain('makeFollowerDue').run(now, processor, sequenceKey);
      }
    });
  }

  discard(id: string, reason: string): Awaitable<boolean> {
    return this.#units.write(undefined, (writer) => {
      writer.plain('keepDiscarded').run(reason, Date.now(), id);
      return writer.plain('removeLetter').run(id).changes === 1;
    });
  }

  /** For the commit of a processor. Answers with the followers whose sequence has no letter any more. */
  apply(writer: Connection, changes: readonly LetterChange[]): string[] {
    const free: string[] = [];
    for (const { kind, letter } of changes) {
      if (kind === 'park') writer.plain('park').run(...letterValues(letter));
      else if (writer.value('hasLetters').get(letter.processor, letter.sequenceKey) === undefined) free.push(letter.id);
      else writer.plain('follow').run(...letterValues(letter));
    }
    return free;
  }
}

function replace(writer: Connection, id: string, letter: Letter): void {
  const { behind, attempts, dueAt, errorName, cause, firstAt, lastAt } = letter;
  writer
    .plain('replaceLetter')
    .run(behind ? 1 : 0, attempts, dueAt?.getTime() ?? null, errorName, cause, firstAt.getTime(), lastAt.getTime(), id);
}

function filter({
  processor,
  tenant,
  aggregateType,
  aggregateId,
  sequenceKey,
}: LetterQuery): Record<string, string | null> {
  return {
    processor: processor ?? null,
    tenant: tenant ?? null,
    aggregateType: aggregateType ?? null,
    aggregateId: aggregateId ?? null,
    sequenceKey: sequenceKey ?? null,
  };
}
