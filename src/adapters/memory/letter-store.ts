import { LeaseLostError } from '../../errors/lease-lost-error.ts';
import type { Awaitable } from '../../message/types.ts';
import type { Letter, LetterChange, LetterQuery, LetterStore, SequenceClaim } from '../../ports/letter-store.ts';
import type { Unit } from '../../ports/unit-of-work.ts';
import { keyOf, Table } from './table.ts';
import type { MemoryUnit, UnitQueue } from './unit-of-work.ts';

interface Claim {
  readonly token: string;
  readonly expiresAt: number;
}

/** Letters in memory. Meant for as many as a person can look at: each question looks at all of them. */
export class MemoryLetterStore implements LetterStore {
  readonly #letters = new Table<Letter>();
  readonly #claims = new Table<Claim>();
  readonly #discarded: { readonly letter: Letter; readonly reason: string; readonly at: Date }[] = [];
  readonly #units: UnitQueue;
  readonly #now: () => Date;
  #tokens = 0;

  constructor(units: UnitQueue, now: () => Date) {
    this.#units = units;
    this.#now = now;
  }

  page(query: LetterQuery, options: { readonly after?: Letter | undefined; readonly limit: number }): Letter[] {
    const { after, limit } = options;
    const letters = this.#matching(query);
    return (after === undefined ? letters : letters.filter((letter) => inOrder(after, letter) < 0)).slice(0, limit);
  }

  count(query: LetterQuery): number {
    return this.#matching(query).length;
  }

  find(id: string): Letter | undefined {
    return this.#letters.get(id);
  }

  sequences(processor: string, partition: number): string[] {
    return this.#firsts(processor, partition).map((letter) => letter.sequenceKey);
  }

  due(processor: string, partition: number, now: Date, limit: number): string[] {
    return this.#firsts(processor, partition)
      .filter(
        ({ dueAt, sequenceKey }) => dueAt !== undefined && dueAt <= now && !this.#claimed(processor, sequenceKey, now),
      )
      .sort((a, b) => a.lastAt.getTime() - b.lastAt.getTime())
      .slice(0, limit)
      .map((letter) => letter.sequenceKey);
  }

  nextDue(processor: string, partition: number): Date | undefined {
    let next: Date | undefined;
    for (const { dueAt } of this.#firsts(processor, partition)) {
      if (dueAt !== undefined && (next === undefined || dueAt < next)) next = dueAt;
    }
    return next;
  }

  claim(processor: string, sequenceKey: string, milliseconds: number): Awaitable<SequenceClaim | undefined> {
    return this.#units.write(() => {
      const now = this.#now();
      if (this.#claimed(processor, sequenceKey, now) || this.first(processor, sequenceKey) === undefined)
        return undefined;
      this.#tokens += 1;
      const token = String(this.#tokens);
      this.#claims.set(keyOf(processor, sequenceKey), { token, expiresAt: now.getTime() + milliseconds });
      return { processor, sequenceKey, token };
    });
  }

  release({ processor, sequenceKey, token }: SequenceClaim): Awaitable<void> {
    return this.#units.write(() => {
      const key = keyOf(processor, sequenceKey);
      if (this.#claims.get(key)?.token === token) this.#claims.set(key, undefined);
    });
  }

  first(processor: string, sequenceKey: string, unit?: Unit): Letter | undefined {
    return this.#matching({ processor, sequenceKey }, unit && this.#units.own(unit))[0];
  }

  settle(
    claim: SequenceClaim,
    id: string,
    letter: Letter | undefined,
    milliseconds: number,
    unit?: Unit,
  ): Awaitable<void> {
    if (unit !== undefined) return this.#settle(claim, id, letter, milliseconds, this.#units.own(unit));
    return this.#units.write(() => this.#settle(claim, id, letter, milliseconds));
  }

  discard(id: string, reason: string): Awaitable<boolean> {
    return this.#units.write(() => {
      const letter = this.#letters.get(id);
      if (letter === undefined) return false;
      this.#letters.set(id, undefined);
      this.#discarded.push({ letter, reason, at: this.#now() });
      return true;
    });
  }

  /** For the commit of a processor. Answers with the followers whose sequence has no letter any more. */
  apply(changes: readonly LetterChange[], unit?: MemoryUnit): string[] {
    const free: string[] = [];
    for (const { kind, letter } of changes) {
      const known = this.#letters.get(letter.id, unit);
      const { processor, sequenceKey } = letter;
      if (kind === 'park') {
        this.#letters.set(letter.id, known === undefined ? letter : { ...letter, firstAt: known.firstAt }, unit);
      } else if (known === undefined) {
        if (this.#matching({ processor, sequenceKey }, unit).length === 0) free.push(letter.id);
        else this.#letters.set(letter.id, letter, unit);
      }
    }
    return free;
  }

  /** For a replay: forgets the letters of one partition. */
  drop(processor: string, partition: number, unit: MemoryUnit): void {
    for (const letter of this.#matching({ processor }, unit)) {
      if (letter.partition === partition) this.#letters.set(letter.id, undefined, unit);
    }
  }

  #settle(claim: SequenceClaim, id: string, letter: Letter | undefined, milliseconds: number, unit?: MemoryUnit): void {
    const { processor, sequenceKey, token } = claim;
    const key = keyOf(processor, sequenceKey);
    if (this.#claims.get(key, unit)?.token !== token)
      throw new LeaseLostError(`the parked sequence ${sequenceKey} of ${processor}`);
    const now = this.#now();
    this.#claims.set(key, { token, expiresAt: now.getTime() + milliseconds }, unit);
    if (this.#letters.get(id, unit) === undefined) return;
    this.#letters.set(id, letter, unit);
    if (letter !== undefined) return;
    const next = this.#matching({ processor, sequenceKey }, unit)[0];
    if (next?.behind === true && next.dueAt === undefined) this.#letters.set(next.id, { ...next, dueAt: now }, unit);
  }

  #claimed(processor: string, sequenceKey: string, now: Date): boolean {
    const claim = this.#claims.get(keyOf(processor, sequenceKey));
    return claim !== undefined && claim.expiresAt > now.getTime();
  }

  #matching(query: LetterQuery, unit?: MemoryUnit): Letter[] {
    const wanted = Object.entries(query).filter(([, value]) => value !== undefined);
    return this.#letters
      .values(unit)
      .filter((letter) => wanted.every(([field, value]) => letter[field as keyof LetterQuery] === value))
      .sort(inOrder);
  }

  /** The first letter of each sequence of a partition. */
  #firsts(processor: string, partition: number): Letter[] {
    const firsts = new Map<string, Letter>();
    for (const letter of this.#matching({ processor })) {
      if (letter.partition === partition && !firsts.has(letter.sequenceKey)) firsts.set(letter.sequenceKey, letter);
    }
    return [...firsts.values()];
  }
}

/** Processor, position, cursor, id. Cursors sort by length, then by text. */
function inOrder(a: Letter, b: Letter): number {
  return (
    compare(a.processor, b.processor) ||
    compare(a.position, b.position) ||
    compare(a.cursor.length, b.cursor.length) ||
    compare(a.cursor, b.cursor) ||
    compare(a.id, b.id)
  );
}

function compare<T extends string | bigint | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
