import { Command, EventStore, EventType, type EventTypeDetail, tuple } from '@castore/core';
import { InMemoryEventStorageAdapter } from '@castore/event-storage-adapter-in-memory';
import type { Deposit } from '../domain.ts';
import type { Peer } from './peer.ts';

interface Account {
  readonly aggregateId: string;
  readonly version: number;
  readonly balance: number;
}

const moneyDeposited = new EventType<'MoneyDeposited', Deposit>({ type: 'MoneyDeposited' });

// Literals, no spreads: the reducer is pure, and as fast as a pure one gets.
function reduce(account: Account | undefined, event: EventTypeDetail<typeof moneyDeposited>): Account {
  const { aggregateId, version, payload } = event;
  return { aggregateId, version, balance: (account === undefined ? 0 : account.balance) + payload.amount };
}

/** An event here has no id: aggregate, version, type, time and payload. */
export async function castore(): Promise<Peer> {
  const storage = new InMemoryEventStorageAdapter();
  const accounts = new EventStore({
    eventStoreId: 'ACCOUNTS',
    eventTypes: [moneyDeposited],
    reducer: reduce,
    eventStorageAdapter: storage,
  });
  const depositMoney = new Command({
    commandId: 'DEPOSIT_MONEY',
    requiredEventStores: tuple(accounts),
    async handler(deposit: Deposit, [store]): Promise<void> {
      const { aggregate } = await store.getAggregate(deposit.accountId);
      if ((aggregate?.balance ?? 0) + deposit.amount < 0) throw new Error('not enough money');
      // Without `prevAggregate`, which would have the event reduced once more for a caller who wants the new state.
      await store.pushEvent({
        aggregateId: deposit.accountId,
        version: (aggregate?.version ?? 0) + 1,
        type: 'MoneyDeposited',
        payload: deposit,
      });
    },
  });
  const stores = depositMoney.requiredEventStores;
  return {
    deposit: (deposit) => depositMoney.handler(deposit, stores),
    events: () => Object.values(storage.eventStore).reduce((sum, events) => sum + events.length, 0),
    account: async (accountId) => (await accounts.getExistingAggregate(accountId)).aggregate,
    async close() {},
  };
}
