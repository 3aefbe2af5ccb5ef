// Compiled, never run: what the compiler promises about messages.
import { z } from 'zod';
import { Command, Event, Query } from '../../src/message/define.ts';
import type { Class, MessageStatics, PayloadOf, ResultOf } from '../../src/message/types.ts';
import { upcast } from '../../src/message/upcast.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(): T | undefined {
  return undefined;
}

class MoneyDeposited extends Event('bank.MoneyDeposited', z.object({ amount: z.number().positive() })) {}
class DepositMoney extends Command('bank.DepositMoney', z.object({ amount: z.number().positive() })) {}
class Withdraw extends Command('bank.Withdraw', z.object({ amount: z.number() }))<number> {}
class AccountOpened extends Event('bank.AccountOpened')<{ owner: string }> {}
class AccountClosed extends Event('bank.AccountClosed') {}
class MoneyWithdrawn extends Event('bank.MoneyWithdrawn', { version: 2 })<{ amount: number; fee: number }> {}
class OpenAccount extends Command('bank.OpenAccount')<{ owner: string }, string> {}
class CloseAccount extends Command('bank.CloseAccount') {}
class GetBalance extends Query('bank.GetBalance')<{ accountId: string }, number> {}
class CountAccounts extends Query('bank.CountAccounts', z.object({}))<bigint> {}
class Renamed extends Event('bank.New', { formerly: ['bank.Old'] })<{ note?: string }> {
  get length(): number {
    return this.note?.length ?? 0;
  }
}
class Priced extends Event('shop.Priced', z.object({ at: z.coerce.date(), tags: z.array(z.string()).default([]) }), {
  version: 3,
}) {}

// Payloads and results.
holds<Same<PayloadOf<MoneyDeposited>, { amount: number }>>();
holds<Same<PayloadOf<AccountOpened>, { owner: string }>>();
// oxlint-disable-next-line typescript/no-generated-empty-object-type
holds<Same<PayloadOf<AccountClosed>, {}>>();
holds<Same<PayloadOf<OpenAccount>, { owner: string }>>();
holds<Same<PayloadOf<Priced>, { at: Date; tags: string[] }>>();
holds<Same<ResultOf<OpenAccount>, string>>();
holds<Same<ResultOf<DepositMoney>, void>>();
holds<Same<ResultOf<CloseAccount>, void>>();
holds<Same<ResultOf<Withdraw>, number>>();
holds<Same<ResultOf<GetBalance>, number>>();
holds<Same<ResultOf<CountAccounts>, bigint>>();
holds<Same<ResultOf<AccountClosed>, never>>();

// Names and versions are literal types.
holds<Same<typeof MoneyWithdrawn.messageName, 'bank.MoneyWithdrawn'>>();
holds<Same<typeof MoneyWithdrawn.version, 2>>();
holds<Same<typeof AccountOpened.version, 1>>();
holds<Same<typeof Priced.version, 3>>();

// Construction.
void new MoneyDeposited({ amount: 1 });
void new AccountClosed();
void new AccountClosed({});
void new Renamed();
void new Renamed({ note: 'a' });
void new CloseAccount({ aggregateId: 'a' });
void new OpenAccount({ aggregateId: 'a', owner: 'Ada' });
void new Withdraw({ aggregateId: 'a', amount: 1 });
void new CountAccounts();
// A schema's input may differ from its output, and what has a default may be left out.
void new Priced({ at: '2026-01-01' });

// @ts-expect-error A payload with something required is required.
void new MoneyDeposited();
// @ts-expect-error
void new AccountOpened();
// @ts-expect-error
void new GetBalance();
// @ts-expect-error The payload's type is checked.
void new AccountOpened({ owner: 1 });
// @ts-expect-error
void new MoneyDeposited({ amount: '1' });
// @ts-expect-error No key but those of the payload.
void new AccountOpened({ owner: 'Ada', age: 7 });
// @ts-expect-error A command names its aggregate.
void new OpenAccount({ owner: 'Ada' });
// @ts-expect-error
void new DepositMoney({ amount: 1 });
// @ts-expect-error
void new CloseAccount();
// @ts-expect-error
void new CloseAccount({ aggregateId: 1 });

// The payload is flat and read-only.
const deposited = new MoneyDeposited({ amount: 1 });
deposited.amount satisfies number;
// @ts-expect-error
deposited.amount = 2;
const opened = new OpenAccount({ aggregateId: 'a', owner: 'Ada' });
opened.aggregateId satisfies string;
opened.owner satisfies string;
// @ts-expect-error
opened.aggregateId = 'b';
// @ts-expect-error
opened.owner = 'Bob';
// @ts-expect-error
new AccountOpened({ owner: 'Ada' }).owner = 'Bob';
// @ts-expect-error
new GetBalance({ accountId: 'a' }).accountId = 'b';

// `Event`, `Command`, `Query` are types too, and a kind is not another.
deposited satisfies Event;
opened satisfies Command;
new GetBalance({ accountId: 'a' }) satisfies Query;
MoneyDeposited satisfies Class<Event>;
OpenAccount satisfies Class<Command>;
// @ts-expect-error
opened satisfies Event;
// @ts-expect-error
deposited satisfies Command;
// @ts-expect-error
OpenAccount satisfies Class<Query>;
// @ts-expect-error No plain object is a message.
({ amount: 1 }) satisfies Event;

// Two classes of one shape are different types.
class Credited extends Event('bank.Credited')<{ amount: number }> {}
class Debited extends Event('bank.Debited')<{ amount: number }> {}
new Credited({ amount: 1 }) satisfies Credited;
// @ts-expect-error
new Credited({ amount: 1 }) satisfies Debited;
// @ts-expect-error
Credited satisfies Class<Debited>;

// A query always has a result.
// @ts-expect-error
class NoResult extends Query('bank.NoResult')<{ id: string }> {}
// @ts-expect-error
class NothingAtAll extends Query('bank.NothingAtAll') {}
// @ts-expect-error
class CheckedWithout extends Query('bank.CheckedWithout', z.object({})) {}

// A schema gives an object, or is none at all.
// @ts-expect-error
Event('bank.Number', z.number());
// @ts-expect-error
Event('bank.Nothing', { parse: () => ({}) });

// The last upcaster gives today's payload; those before it give any object.
upcast(MoneyWithdrawn, { from: 1, up: (old: { amount: number }) => ({ ...old, fee: 0 }) });
upcast(Priced, { from: 1, up: (old: { at: string }) => ({ ...old, label: 'x' }) });
upcast(Priced, { from: 2, up: (old: { at: string }) => ({ at: new Date(old.at), tags: [] }) });
// @ts-expect-error
upcast(MoneyWithdrawn, { from: 1, up: (old: { amount: number }) => ({ ...old }) });
// @ts-expect-error
upcast(MoneyWithdrawn, { from: 1, up: (old: { amount: number }) => ({ ...old, fee: '0' }) });
// @ts-expect-error
upcast(Priced, { from: 2, up: (old: { at: string }) => ({ at: old.at, tags: [] }) });
// @ts-expect-error
upcast(Priced, { from: 1, up: () => 'no payload' });
// @ts-expect-error Commands are never stored.
upcast(OpenAccount, { from: 1, up: (old: object) => old });

MoneyWithdrawn satisfies MessageStatics<'bank.MoneyWithdrawn', 2>;
export { CheckedWithout, NoResult, NothingAtAll };
