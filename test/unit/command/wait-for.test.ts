import { ConsistencyTimeoutError, EventProcessor, handlesEvent } from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { acts, Bank, deposit, Deposited, ends, Gate, history, perform, stores, turns } from './bank.ts';

const seen: number[] = [];
let gate: Gate | undefined;

class Follows extends EventProcessor {
  static processorName = 'bank.follows';
  @handlesEvent(Deposited) async on({ amount }: Deposited): Promise<void> {
    await gate?.pass();
    await turns(2);
    seen.push(amount);
  }
}
class Stranger extends EventProcessor {
  static processorName = 'bank.stranger';
  @handlesEvent(Deposited) on(_: Deposited): void {}
}

describe.each(stores)('waitFor (%s)', (store) => {
  it('resolves once the processors have handled what the command stored', async () => {
    seen.length = 0;
    gate = undefined;
    await using bank = new Bank(store);
    const app = await bank.app((builder) => builder.registerEventProcessor(Follows, { delivery: 'async' }));
    await using run = await app.runEventProcessors();
    expect(await app.dispatch(deposit(5), { waitFor: [Follows] })).toBe(5);
    expect(seen).toEqual([5]);
    await run.stop();
  });

  it('gives up in time; the events stay stored, and the same key waits again', async () => {
    seen.length = 0;
    gate = new Gate();
    await using bank = new Bank(store);
    const app = await bank.app((builder) => builder.registerEventProcessor(Follows, { delivery: 'async' }));
    await using run = await app.runEventProcessors();
    const options = { waitFor: [Follows], waitTimeout: 30, idempotencyKey: 'k' };
    await expect(app.dispatch(deposit(5), options)).rejects.toThrow(ConsistencyTimeoutError);
    expect(await history(app)).toEqual(['bank.Deposited 5']);
    await expect(app.dispatch(deposit(5), options)).rejects.toThrow(ConsistencyTimeoutError);
    gate.open();
    expect(await app.dispatch(deposit(5), { ...options, waitTimeout: '5s' })).toBe(5);
    expect(seen).toEqual([5]);
    await run.stop();
  });

  it('refuses a processor that is not registered, and a timeout that is none, before anything is stored', async () => {
    await using bank = new Bank(store);
    const app = await bank.app((builder) => builder.registerEventProcessor(Follows, { delivery: 'async' }));
    await expect(app.dispatch(deposit(5), { waitFor: [Stranger] })).rejects.toThrow(
      'bank.stranger is not registered here: .registerEventProcessor(Stranger) first.',
    );
    await expect(app.dispatch(deposit(5), { waitFor: [Follows], waitTimeout: 'soon' as '1s' })).rejects.toThrow(
      "'soon' is no duration",
    );
    expect(await app.log.head()).toBe(0n);
  });

  it('waits for nobody where nothing was stored, nor for synchronous processors', async () => {
    gate = undefined;
    await using bank = new Bank(store);
    const app = await bank.app((builder) =>
      builder.registerEventProcessor(Follows, { delivery: 'async' }).registerEventProcessor(Stranger),
    );
    acts.set('nothing', () => 1);
    expect(await ends(app.dispatch(perform('nothing'), { waitFor: [Follows] }))).toBe(1);
    expect(await ends(app.dispatch(deposit(1), { waitFor: [Stranger] }))).toBe(1);
  });
});
