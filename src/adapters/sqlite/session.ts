import type Database from 'better-sqlite3';
import { SessionError } from '../../errors/session-error.ts';
import type { SessionProvider, SessionScope } from '../../ports/store.ts';
import type { Connection, Statement } from './connection.ts';
import { contentsOf } from './contents.ts';
import { storeError } from './failure.ts';
import type { SqliteUnits } from './unit-of-work.ts';

/** Values for `?` in order, or for `@name` by name. */
export type SqlParameters = readonly unknown[] | Readonly<Record<string, unknown>>;

/** What a statement that gives no rows did. */
export interface SqlResult {
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/**
 * The transaction around the handler: what is written through it commits with the events or the checkpoint, or not at all.
 * In a query it reads what is committed. Answers come at once, not as promises; awaiting them does no harm.
 *
 * Ask for it with `inject(SqliteSession)`. Using it after the handler returned, or outside of one, throws.
 */
export abstract class SqliteSession {
  /** Runs a statement that gives no rows. */
  abstract run(sql: string, parameters?: SqlParameters): SqlResult;
  /** All rows of a query. */
  abstract all<Row = Record<string, unknown>>(sql: string, parameters?: SqlParameters): Row[];
  /** The connection of better-sqlite3, for all else. Begin or end no transaction on it. */
  abstract readonly db: Database.Database;
}

/** Distinct texts whose statements are kept, on each connection. */
const MOST_STATEMENTS = 200;

class ScopedSession extends SqliteSession {
  readonly #units: SqliteUnits;
  readonly #current: () => SessionScope;
  readonly #statements = new WeakMap<Connection, Map<string, Statement>>();

  constructor(units: SqliteUnits, current: () => SessionScope) {
    super();
    this.#units = units;
    this.#current = current;
  }

  get db(): Database.Database {
    return this.#connection().db;
  }

  run(sql: string, parameters: SqlParameters = []): SqlResult {
    return this.#with(sql, (statement) => statement.run(parameters));
  }

  all<Row>(sql: string, parameters: SqlParameters = []): Row[] {
    return this.#with(sql, (statement) => statement.all(parameters) as Row[]);
  }

  #with<T>(sql: string, work: (statement: Statement) => T): T {
    const connection = this.#connection();
    try {
      return work(this.#prepare(connection, sql));
    } catch (error) {
      throw storeError(error, connection.file);
    }
  }

  #connection(): Connection {
    const scope = this.#current();
    return scope.kind === 'unit' ? this.#units.own(scope.unit) : this.#units.reader;
  }

  #prepare(connection: Connection, sql: string): Statement {
    let statements = this.#statements.get(connection);
    if (statements === undefined) this.#statements.set(connection, (statements = new Map()));
    const known = statements.get(sql);
    if (known !== undefined) return known;
    if (TRANSACTION.test(sql))
      throw new SessionError(`A session begins and ends no transaction, so "${sql}" is refused.`);
    if (statements.size >= MOST_STATEMENTS) statements.clear();
    const statement = connection.db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }
}

const TRANSACTION = /^\s*(begin|commit|end|rollback|savepoint|release)\b/i;

/** What the store says about the token. */
export function sessionProvider(units: SqliteUnits): SessionProvider {
  return {
    token: SqliteSession,
    create: (current) => new ScopedSession(units, current),
    contents: (unit) => contentsOf(units.own(unit).db),
  };
}
