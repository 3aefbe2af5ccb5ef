import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EventProcessor, handlesEvent, UsageError } from 'interlock-cqrs';
import { aggregateScenario, processorScenario, projectionScenario } from 'interlock-cqrs/testing';
import { describe, expect, it } from 'vitest';
import { AccountOpened, BankAccount, DepositMoney, GetOwners, Owners } from './bank.ts';

class Counter extends EventProcessor {
  seen: string[] = [];
  @handlesEvent(AccountOpened)
  opened({ owner }: AccountOpened): void {
    this.seen.push(owner);
  }
}

describe('a scenario', () => {
  it('is a promise', async () => {
    const scenario = processorScenario(Counter).given(new AccountOpened({ owner: 'Ada' }));
    expect(scenario).toBeInstanceOf(Promise);
    await expect(scenario).resolves.toBeUndefined();
    await assert.doesNotReject(scenario);
    await expect(Promise.all([scenario, scenario])).resolves.toEqual([undefined, undefined]);
  });

  it('runs when it is awaited, and not before', async () => {
    const counter = new Counter();
    const scenario = processorScenario(counter).given(new AccountOpened({ owner: 'Ada' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(counter.seen).toEqual([]);
    await scenario;
    expect(counter.seen).toEqual(['Ada']);
  });

  it('runs once, whoever awaits it and however often', async () => {
    const counter = new Counter();
    const scenario = processorScenario(counter).given(new AccountOpened({ owner: 'Ada' }));
    await scenario;
    await scenario;
    await Promise.all([scenario.then(), scenario.catch(() => undefined), scenario.finally(() => undefined)]);
    expect(counter.seen).toEqual(['Ada']);
  });

  it.each([
    ['then', (scenario: Promise<void>) => scenario.then()],
    ['catch', (scenario: Promise<void>) => scenario.catch(() => undefined)],
    ['finally', (scenario: Promise<void>) => scenario.finally(() => undefined)],
  ])('runs by %s too', async (_, run) => {
    const counter = new Counter();
    await run(processorScenario(counter).given(new AccountOpened({ owner: 'Ada' })));
    expect(counter.seen).toEqual(['Ada']);
  });

  it('gives plain promises from then, catch and finally', () => {
    const scenario = processorScenario(Counter);
    for (const promise of [scenario.then(), scenario.catch(() => undefined), scenario.finally(() => undefined)])
      expect(promise.constructor).toBe(Promise);
  });

  it('rejects for everybody who awaits it', async () => {
    const scenario = processorScenario(Counter).shouldHaveState(() => false);
    const errors = await Promise.all([scenario.catch((error: unknown) => error), scenario.then(undefined, (e) => e)]);
    expect(errors[0]).toBeInstanceOf(Error);
    expect(errors[0]).toBe(errors[1]);
  });

  it('runs its steps in the order they were written', async () => {
    const counts: number[] = [];
    await processorScenario(Counter)
      .shouldHaveState(({ seen }) => void counts.push(seen.length))
      .given(new AccountOpened({ owner: 'Ada' }))
      .shouldHaveState(({ seen }) => void counts.push(seen.length))
      .given(new AccountOpened({ owner: 'Bo' }), new AccountOpened({ owner: 'Cy' }))
      .shouldHaveState(({ seen }) => void counts.push(seen.length));
    expect(counts).toEqual([0, 1, 3]);
  });

  it('takes no further step once it has begun', async () => {
    const scenario = processorScenario(Counter).given(new AccountOpened({ owner: 'Ada' }));
    const running = scenario.then();
    expect(() => scenario.given(new AccountOpened({ owner: 'Bo' }))).toThrow(UsageError);
    await running;
    expect(() => scenario.shouldHaveState(() => true)).toThrow('comes too late: this scenario has run');
    const aggregate = aggregateScenario(BankAccount);
    await aggregate;
    expect(() => aggregate.when(new DepositMoney({ aggregateId: 'a', amount: 1 }))).toThrow(UsageError);
    const projection = projectionScenario(Owners);
    await projection;
    expect(() => projection.whenQueried(new GetOwners())).toThrow(UsageError);
  });

  it('passes without any check', async () => {
    await processorScenario(Counter);
    await processorScenario(Counter).given(new AccountOpened({ owner: 'Ada' }));
    await aggregateScenario(BankAccount);
  });

  it('stops at its first failure', async () => {
    let reached = false;
    const scenario = processorScenario(Counter)
      .shouldHaveState(() => false)
      .shouldHaveState(() => {
        reached = true;
      });
    await expect(scenario).rejects.toThrow();
    expect(reached).toBe(false);
  });

  it('that nobody awaits is found by lint', () => {
    // The file forgets every await, each under a comment that silences lint: an error there says that a comment was not needed.
    const file = fileURLToPath(new URL('forgotten.ts', import.meta.url));
    const lint = spawnSync(
      process.execPath,
      [
        fileURLToPath(new URL('../../../node_modules/oxlint/bin/oxlint', import.meta.url)),
        '--type-aware',
        '--deny-warnings',
        '--report-unused-disable-directives-severity=error',
        file,
      ],
      { encoding: 'utf8', cwd: fileURLToPath(new URL('../../..', import.meta.url)) },
    );
    expect(lint.stdout).toContain('Found 0 warnings and 0 errors');
    expect(lint.stdout).toContain('on 1 file');
    expect(lint.status).toBe(0);
  });
});
