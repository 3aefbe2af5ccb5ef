import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Aggregate,
  type Application,
  ApplicationBuilder,
  Command,
  Event,
  EventProcessor,
  handlesCommand,
  handlesEvent,
  inject,
  SessionError,
} from 'interlock-cqrs';
import { sqlite, SqliteSession } from 'interlock-cqrs/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Happened extends Event('scope.Happened') {}
class Happen extends Command('scope.Happen') {}

/** What a test wants to be done where a session may, or may not, be used. */
let inCommand: (session: SqliteSession) => void;
let first: (session: SqliteSession) => void | Promise<void>;
let second: () => void | Promise<void>;

class Thing extends Aggregate {
  static aggregateType = 'scope.Thing';
  readonly #session = inject(SqliteSession);
  @handlesCommand(Happen) happen(_: Happen): void {
    inCommand(this.#session);
    this.emit(new Happened());
  }
}

class First extends EventProcessor {
  static processorName = 'scope.first';
  constructor(readonly session = inject(SqliteSession)) {
    super();
  }
  @handlesEvent(Happened) on(_: Happened): void | Promise<void> {
    return first(this.session);
  }
}

/** Runs in the transaction of the first, after its handler has returned. */
class Second extends EventProcessor {
  static processorName = 'scope.second';
  @handlesEvent(Happened) on(_: Happened): void | Promise<void> {
    return second();
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'interlock-scope-'));
  inCommand = () => {};
  first = () => {};
  second = () => {};
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function started(): Promise<Application> {
  const app = await new ApplicationBuilder()
    .use(sqlite({ file: join(folder, 'scope.db'), synchronous: 'normal' }))
    .registerAggregate(Thing)
    .registerEventProcessor(First)
    .registerEventProcessor(Second)
    .build();
  return app.startup();
}

const happen = (app: Application): Promise<void> => app.dispatch(new Happen({ aggregateId: 'a' }));

describe('a session', () => {
  // The transaction is still open then: only the handler's own time is over.
  it.each(['returned', 'resolved'] as const)('is refused to what a handler left running that has %s', async (how) => {
    await using app = await started();
    const gate = Promise.withResolvers<void>();
    let left: Promise<unknown> = Promise.resolve();
    const leave = (session: SqliteSession): void => {
      left = gate.promise.then(() => session.all('SELECT 1')).catch((error: unknown) => error);
    };
    first = how === 'returned' ? leave : async (session) => leave(session);
    let found: unknown;
    second = async () => {
      gate.resolve();
      found = await left;
    };
    await happen(app);
    expect(found).toBeInstanceOf(SessionError);
    expect((found as Error).message).toMatchInlineSnapshot(
      `"SqliteSession was used after its handler returned: its transaction is no longer the handler's. Is an await missing?"`,
    );
  });

  it('is refused outside of all handlers', async () => {
    await using app = await started();
    let kept: SqliteSession | undefined;
    first = (session) => {
      kept = session;
    };
    await happen(app);
    expect(() => kept!.all('SELECT 1')).toThrow(SessionError);
    expect(() => kept!.db).toThrowErrorMatchingInlineSnapshot(
      `[SessionError: SqliteSession was used outside of a handler. It is the transaction around a handler: use it in handlers of processors and queries, in onStartup and in reset().]`,
    );
  });

  it('is refused in a command handler, which has no transaction yet, and nothing is stored', async () => {
    await using app = await started();
    inCommand = (session) => session.all('SELECT 1');
    await expect(happen(app)).rejects.toThrow(SessionError);
    await expect(happen(app)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[SessionError: SqliteSession was used in a command handler or middleware, where no transaction is open yet. Write from an event processor.]`,
    );
    expect(await app.log.head()).toBe(0n);
  });
});
