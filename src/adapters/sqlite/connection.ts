import Database from 'better-sqlite3';
import { storeError } from './failure.ts';
import { SQL } from './sql.ts';

export type Statement = Database.Statement;
type Name = keyof typeof SQL;

/** One connection, and its statements in the forms they are wanted in, each prepared once. */
export class Connection {
  readonly db: Database.Database;
  readonly file: string;
  readonly #plain = new Map<Name, Statement>();
  readonly #rows = new Map<Name, Statement>();
  readonly #big = new Map<Name, Statement>();
  readonly #bigRows = new Map<Name, Statement>();
  readonly #value = new Map<Name, Statement>();
  readonly #bigValue = new Map<Name, Statement>();

  constructor(file: string, options: { readonly readonly: boolean; readonly timeout: number }) {
    this.file = file;
    try {
      this.db = new Database(file, options);
    } catch (error) {
      throw storeError(error, file);
    }
  }

  /** To run, or for rows as objects. */
  plain(name: Name): Statement {
    return this.#plain.get(name) ?? this.#keep(this.#plain, name, this.#prepare(name));
  }

  /** To run, a new row's id as bigint. */
  big(name: Name): Statement {
    return this.#big.get(name) ?? this.#keep(this.#big, name, this.#prepare(name).safeIntegers());
  }

  /** Rows as arrays. */
  rows(name: Name): Statement {
    return this.#rows.get(name) ?? this.#keep(this.#rows, name, this.#prepare(name).raw());
  }

  /** Rows as arrays, every integer a bigint. */
  bigRows(name: Name): Statement {
    return this.#bigRows.get(name) ?? this.#keep(this.#bigRows, name, this.#prepare(name).raw().safeIntegers());
  }

  /** The first column. */
  value(name: Name): Statement {
    return this.#value.get(name) ?? this.#keep(this.#value, name, this.#prepare(name).pluck());
  }

  /** The first column, an integer as bigint. */
  bigValue(name: Name): Statement {
    return this.#bigValue.get(name) ?? this.#keep(this.#bigValue, name, this.#prepare(name).pluck().safeIntegers());
  }

  close(): void {
    this.db.close();
  }

  #prepare(name: Name): Statement {
    return this.db.prepare(SQL[name]);
  }

  #keep(prepared: Map<Name, Statement>, name: Name, statement: Statement): Statement {
    prepared.set(name, statement);
    return statement;
  }
}
