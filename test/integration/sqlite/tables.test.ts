import { describe, expect, test } from 'vitest';
import {
  append,
  event,
  events,
  given,
  key,
  leased,
  letter,
  load,
  parked,
  Planned,
  readAll,
  stream,
  until,
} from '../../../src/conformance/fixtures.ts';
import { encode } from '../../../src/message/codec.ts';
import type { Unit } from '../../../src/ports/unit-of-work.ts';
import { file, opened, session } from './files.ts';

describe('the tables', () => {
  test('are readable in SQL', async () => {
    const store = await opened(file());
    const at = new Date('2026-01-02T03:04:05.006Z');
    const deposited = event({ amount: 100, at, big: 2n ** 64n }, { name: 'bank.MoneyDeposited', timestamp: at });
    await append(store, { stream: stream('acc-1', 'bank.Account', 't'), expectedVersion: 0, events: [deposited] });
    const sql = session(store);
    const columns =
      "position, tenant, stream_type, stream_id, sequence, type, version, timestamp, headers, data->>'amount' AS amount";
    expect(sql.all(`SELECT ${columns}, data->>'at' AS at, data->>'big' AS big FROM events`)).toEqual([
      {
        position: 1,
        tenant: 't',
        stream_type: 'bank.Account',
        stream_id: 'acc-1',
        sequence: 1,
        type: 'bank.MoneyDeposited',
        version: 1,
        timestamp: at.getTime(),
        headers: null,
        amount: 100,
        at: at.toISOString(),
        big: String(2n ** 64n),
      },
    ]);
    await parked(store, letter(1));
    expect(sql.all('SELECT processor, position, attempts, cause FROM dead_letters')).toEqual([
      { processor: 'test.processor', position: 1, attempts: 1, cause: 'Error: it failed' },
    ]);
  });

  test('hold positions that a number cannot', async () => {
    const store = await opened(file());
    const to = await given(store, 1);
    const far = 2n ** 60n + 1n;
    await store.unitOfWork.run((unit) => session(store, unit).run('UPDATE events SET position = ?', [far]));
    const next = await append(store, { stream: to, expectedVersion: 1, events: events(2) });
    expect(next).toEqual({ status: 'stored', positions: [far + 1n, far + 2n] });
    expect((await load(store, to)).map(({ position }) => position)).toEqual([far, far + 1n, far + 2n]);
    expect(await store.events.read({ after: far, limit: 1 })).toMatchObject({ position: far + 1n, head: far + 2n });
    expect(await store.events.positionAt(new Date())).toBe(far + 2n);
  });

  test('keep the last event, so that no position is given twice; others may be removed', async () => {
    const store = await opened(file());
    const to = await given(store, 4);
    const remove = (position: number) =>
      store.unitOfWork.run((unit) => session(store, unit).run('DELETE FROM events WHERE position = ?', [position]));
    await expect(remove(4)).rejects.toThrow(/position/);
    await remove(2);
    expect((await readAll(store, 1)).map(({ position }) => position)).toEqual([1n, 3n, 4n]);
    expect(await append(store, { stream: to, expectedVersion: 4, events: events(1) })).toMatchObject({
      positions: [5n],
    });
  });

  test('lose keys and marks of a certain age where that is wanted, but not before the letters as old', async () => {
    const path = file();
    const first = await opened(path);
    await append(first, { stream: stream(), expectedVersion: 0, events: events(1), key: key('k') });
    await first.effects.finish('mark', encode(1));
    const old = Date.now() - 10_000;
    const parkedAt = new Date(old - 1_000);
    await parked(first, letter(1, { firstAt: parkedAt }));
    await first.unitOfWork.run((unit) => {
      session(first, unit).run('UPDATE command_keys SET stored_at = ?', [old]);
      session(first, unit).run('UPDATE effect_marks SET marked_at = ?', [old]);
    });
    const second = await opened(path, { retention: '5s' });
    await second.unitOfWork.run(() => undefined); // the sweep at start was queued before
    expect(await second.events.findKey(key('k'))).toBeDefined();
    expect(await second.effects.read('mark')).toBeDefined();
    await second.processors.letters.discard('letter-1', 'a test');
    const third = await opened(path, { retention: '5s' });
    await until(async () => (await third.events.findKey(key('k'))) === undefined);
    expect(await third.effects.read('mark')).toBeUndefined();
    expect((await readAll(third)).length).toBe(1);
  });
});

describe('the session', () => {
  test('writes in the unit: with it, or not at all', async () => {
    const store = await opened(file());
    await store.unitOfWork.run((unit) => session(store, unit).run('CREATE TABLE totals (id TEXT PRIMARY KEY, amount)'));
    await store.unitOfWork.run(async (unit) => {
      const sql = session(store, unit);
      expect(sql.run('INSERT INTO totals VALUES (?, ?)', ['a', 1]).changes).toBe(1);
      sql.run('INSERT INTO totals VALUES (@id, @amount)', { id: 'b', amount: 2 });
      expect(sql.all<{ id: string }>('SELECT id FROM totals ORDER BY id')).toEqual([{ id: 'a' }, { id: 'b' }]);
      expect(session(store).all('SELECT id FROM totals')).toEqual([]);
      await expect(
        unit.savepoint(() => {
          sql.run('DELETE FROM totals');
          throw new Planned();
        }),
      ).rejects.toThrow(Planned);
    });
    const undone = store.unitOfWork.run((unit) => {
      session(store, unit).run('DELETE FROM totals');
      throw new Planned();
    });
    await expect(undone).rejects.toThrow(Planned);
    expect(session(store).all('SELECT sum(amount) AS amount FROM totals')).toEqual([{ amount: 3 }]);
  });

  test('throws by name after its unit, and in a query when it writes', async () => {
    const store = await opened(file());
    let late: Unit | undefined;
    await store.unitOfWork.run((unit) => {
      late = unit;
    });
    const sql = session(store, late);
    for (const use of [() => sql.run('SELECT 1'), () => sql.all('SELECT 1'), () => sql.db]) {
      expect(use).toThrow(expect.objectContaining({ code: 'UNIT_CLOSED' }));
    }
    expect(() => session(store).run('DELETE FROM events')).toThrow(
      expect.objectContaining({ code: 'STORE_READ_ONLY' }),
    );
  });

  test('begins and ends no transaction', async () => {
    const store = await opened(file());
    await leased(store);
    for (const statement of ['COMMIT', ' rollback', 'BEGIN', 'savepoint x', 'release unit', 'END']) {
      const unit = store.unitOfWork.run((open) => session(store, open).run(statement));
      await expect(unit).rejects.toThrow(expect.objectContaining({ code: 'SESSION' }));
    }
  });

  test('gives the errors of SQL as the driver does', async () => {
    const store = await opened(file());
    const unit = store.unitOfWork.run((open) => session(store, open).run('INSERT INTO missing VALUES (1)'));
    await expect(unit).rejects.toThrow(/no such table/);
  });
});
