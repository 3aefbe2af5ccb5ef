import fc from 'fast-check';
import { expect, test } from 'vitest';
import { park } from 'interlock-cqrs';
import { Account, collect, deposits, type Mode, modes, World } from '../integration/processing/world.ts';

// What letters promise, as a few lists: per sequence what waits, and what was handled.
class Model {
  readonly waiting = new Map<string, string[]>();
  readonly handled = new Map<string, string[]>();
  readonly poison = new Set<string>();

  arrive(event: string): void {
    const key = sequenceOf(event);
    const waiting = this.#list(this.waiting, key);
    if (waiting.length > 0 || this.poison.has(event)) waiting.push(event);
    else this.#list(this.handled, key).push(event);
  }

  retry(key?: string): void {
    for (const [each, waiting] of this.waiting) {
      if (key !== undefined && each !== key) continue;
      while (waiting.length > 0 && !this.poison.has(waiting[0]!)) this.#list(this.handled, each).push(waiting.shift()!);
    }
  }

  discard(event: string): void {
    const waiting = this.#list(this.waiting, sequenceOf(event));
    waiting.splice(waiting.indexOf(event), 1);
  }

  #list(map: Map<string, string[]>, key: string): string[] {
    if (!map.has(key)) map.set(key, []);
    return map.get(key)!;
  }
}

type Step =
  | { readonly kind: 'deposit'; readonly account: string; readonly poisonous: boolean }
  | { readonly kind: 'cure' }
  | { readonly kind: 'retry'; readonly account: string | undefined }
  | { readonly kind: 'discard'; readonly which: number }
  | { readonly kind: 'restart' };

const account = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('deposit' as const), account, poisonous: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('retry' as const), account: fc.option(account, { nil: undefined }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cure' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('discard' as const), which: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test.each(modes)(`letters behave like their model ($name) (SEED=${seed})`, { timeout: 60_000 }, async (mode) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), (steps) => follow(mode, steps)),
    { seed, numRuns: mode.durable ? 100 : 300, interruptAfterTimeLimit: 3_000, markInterruptAsFailure: false },
  );
});

async function follow(mode: Mode, steps: readonly Step[]): Promise<void> {
  await using world = new World(mode);
  const model = new Model();
  world.script.act = (event) => (model.poison.has(event) ? park('poison') : undefined);
  let app = await world.app();
  let run = await app.runEventProcessors();
  let amount = 0;
  for (const each of steps) {
    if (each.kind === 'deposit') {
      amount++;
      const event = `${each.account}:${amount}`;
      if (each.poisonous) model.poison.add(event);
      await deposits(app, each.account, amount);
      model.arrive(event);
    } else if (each.kind === 'cure') {
      await run.caughtUp();
      model.poison.clear();
    } else if (each.kind === 'retry') {
      await run.caughtUp();
      await app.deadLetters.retry(each.account === undefined ? {} : { aggregate: { type: Account, id: each.account } });
      model.retry(each.account);
    } else if (each.kind === 'discard') {
      await run.caughtUp();
      const letters = await collect(app.deadLetters.list());
      const letter = letters[each.which % Math.max(1, letters.length)];
      if (letter === undefined) continue;
      await app.deadLetters.discard(letter.id, { reason: 'the model says so' });
      model.discard(await eventAt(letter.position, app));
    } else {
      await app.shutdown();
      app = await world.app();
      run = await app.runEventProcessors();
    }
  }
  await run.caughtUp();
  await app.settled();
  const letters = await collect(app.deadLetters.list());
  for (const key of ['a', 'b', 'c']) {
    const parked = [];
    for (const { aggregateId, position } of letters) if (aggregateId === key) parked.push(await eventAt(position, app));
    expect(parked).toEqual(model.waiting.get(key) ?? []);
    expect(world.handled().filter((event) => sequenceOf(event) === key)).toEqual(model.handled.get(key) ?? []);
  }
}

function sequenceOf(event: string): string {
  return event.split(':')[0]!;
}

async function eventAt(position: bigint, app: Awaited<ReturnType<World['app']>>): Promise<string> {
  const [event] = (await app.log.read({ after: position - 1n, limit: 1 })).events;
  return `${event!.stream.id}:${(event!.data as { amount: number }).amount}`;
}
