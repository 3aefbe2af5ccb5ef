import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Container } from '../../../src/container/container.ts';
import { inject } from '../../../src/container/inject.ts';
import { token } from '../../../src/container/token.ts';
import { ConfigurationError } from '../../../src/errors/configuration-error.ts';
import type { Constructible } from '../../../src/message/types.ts';

abstract class BalanceRepository {
  abstract get(id: string): number;
}
class InMemoryBalanceRepository extends BalanceRepository {
  get(): number {
    return 7;
  }
}
class AccountBalances {
  constructor(readonly balances = inject(BalanceRepository)) {}
}

/** Builds, and fails the test with the findings if there are any. */
async function built(container: Container, ...roots: Constructible<object>[]): Promise<Container> {
  expect(await container.build(roots)).toEqual([]);
  return container;
}

async function messages(container: Container, ...roots: Constructible<object>[]): Promise<string[]> {
  return (await container.build(roots)).map((finding) => finding.message);
}

describe('providing', () => {
  it('gives a class what was registered for its tokens', async () => {
    const container = await built(
      new Container().register(BalanceRepository, InMemoryBalanceRepository),
      AccountBalances,
    );
    expect(container.get(AccountBalances).balances.get('a')).toBe(7);
  });

  it('makes one instance for the application', async () => {
    class Other {
      readonly balances = inject(BalanceRepository);
    }
    const container = await built(
      new Container().register(BalanceRepository, InMemoryBalanceRepository),
      AccountBalances,
      Other,
      Other,
    );
    expect(container.get(Other).balances).toBe(container.get(AccountBalances).balances);
    expect(container.get(Other)).toBe(container.get(Other));
  });

  it('makes a transient anew for each inject', async () => {
    class Two {
      readonly a = inject(BalanceRepository);
      readonly b = inject(BalanceRepository);
    }
    const container = await built(
      new Container().register(BalanceRepository, InMemoryBalanceRepository, { lifetime: 'transient' }),
      Two,
    );
    expect(container.get(Two).a).not.toBe(container.get(Two).b);
    expect(container.get(BalanceRepository)).not.toBe(container.get(BalanceRepository));
  });

  it('does not make a transient that nobody injects', async () => {
    let made = 0;
    await built(new Container().register(token('unused'), () => ++made, { lifetime: 'transient' }));
    expect(made).toBe(0);
  });

  it('lets a later registration of a token replace an earlier one', async () => {
    const other = new InMemoryBalanceRepository();
    let made = 0;
    const container = new Container()
      .register(BalanceRepository, () => (made++, new InMemoryBalanceRepository()))
      .register(BalanceRepository, () => other);
    await built(container, AccountBalances);
    expect(container.get(AccountBalances).balances).toBe(other);
    expect(made).toBe(0);
  });

  it('uses the provider that was registered for a root', async () => {
    const mine = new AccountBalances(new InMemoryBalanceRepository());
    const container = await built(
      new Container().register(AccountBalances, () => mine),
      AccountBalances,
    );
    expect(container.get(AccountBalances)).toBe(mine);
  });

  it('gives a root to another one', async () => {
    class Report {
      readonly balances = inject(AccountBalances);
    }
    const container = await built(
      new Container().register(BalanceRepository, InMemoryBalanceRepository),
      Report,
      AccountBalances,
    );
    expect(container.get(Report).balances).toBe(container.get(AccountBalances));
  });

  it('tells two tokens of one name apart', async () => {
    const [one, two] = [token<number>('n'), token<number>('n')];
    const container = await built(new Container().register(one, () => 1).register(two, () => 2));
    expect([container.get(one), container.get(two)]).toEqual([1, 2]);
  });

  it('takes null, false, 0 and functions as values', async () => {
    const tokens = [null, false, 0, Math.max].map((value) => ({ value, token: token<unknown>('t') }));
    const container = new Container();
    for (const { token: of, value } of tokens) container.register(of, () => value);
    await built(container);
    for (const { token: of, value } of tokens) expect(container.get(of)).toBe(value);
  });

  it('tells a factory written with `function` from a class', async () => {
    const size = token<number>('size');
    const container = await built(
      new Container().register(size, function three() {
        return 3;
      }),
    );
    expect(container.get(size)).toBe(3);
  });
});

describe('async factories', () => {
  it('are awaited before what injects them is constructed', async () => {
    const log: string[] = [];
    class Reader {
      readonly balances;
      constructor(balances = inject(BalanceRepository)) {
        log.push('body');
        this.balances = balances;
      }
    }
    const container = new Container().register(BalanceRepository, async () => {
      await after(1);
      log.push('factory');
      return new InMemoryBalanceRepository();
    });
    await built(container, Reader);
    expect(container.get(Reader).balances).toBeInstanceOf(InMemoryBalanceRepository);
    expect(log).toEqual(['factory', 'body']);
  });

  it('may inject one another in a chain, and run once each', async () => {
    const [url, pool, table] = [token<string>('url'), token<string>('pool'), token<string>('table')];
    const calls: string[] = [];
    const container = new Container()
      .register(table, async () => {
        const inner = inject(pool);
        calls.push('table');
        return Promise.resolve(`${inner}/table`);
      })
      .register(pool, async () => {
        const inner = inject(url);
        calls.push('pool');
        return Promise.resolve(`${inner}/pool`);
      })
      .register(url, async () => {
        calls.push('url');
        return Promise.resolve('url');
      });
    await built(container);
    expect(container.get(table)).toBe('url/pool/table');
    expect(calls).toEqual(['url', 'pool', 'table']);
  });

  it('run side by side when they do not need one another', async () => {
    const [a, b] = [token<number>('a'), token<number>('b')];
    const both = Promise.withResolvers<number>();
    let begun = 0;
    const meet = () => (++begun === 2 ? both.resolve(1) : undefined, both.promise);
    await built(new Container().register(a, meet).register(b, meet));
    expect(begun).toBe(2);
  });

  it('of transients run once for each inject, however often the constructor starts again', async () => {
    const connection = token<number>('connection');
    const slow = token<string>('slow');
    let opened = 0;
    class Mover {
      readonly from = inject(connection);
      readonly to = inject(connection);
      readonly slow = inject(slow);
    }
    const container = new Container()
      .register(connection, async () => Promise.resolve(++opened), { lifetime: 'transient' })
      .register(slow, async () => after(1, 'done'), { lifetime: 'transient' });
    await built(container, Mover);
    expect(container.get(Mover)).toEqual({ from: 1, to: 2, slow: 'done' });
    expect(opened).toBe(2);
  });

  it('see a dependency that a constructor tried to catch', async () => {
    class Careless {
      readonly balances: BalanceRepository | undefined;
      constructor() {
        try {
          this.balances = inject(BalanceRepository);
        } catch {
          this.balances = undefined;
        }
      }
    }
    const container = new Container().register(BalanceRepository, async () =>
      Promise.resolve(new InMemoryBalanceRepository()),
    );
    await built(container, Careless);
    expect(container.get(Careless).balances).toBeInstanceOf(InMemoryBalanceRepository);
  });
});

describe('inject', () => {
  const advice =
    'inject(BalanceRepository) works only while the container constructs something: as the default of a constructor ' +
    'parameter, in a field, or in a factory before its first await. Elsewhere use what the constructor was given; ' +
    'in a test, give it yourself: new MyProcessor(fake).';

  it('refuses to work outside of a construction', () => {
    expect(() => new AccountBalances()).toThrow(advice);
  });

  it('is not asked when the argument is given', () => {
    expect(new AccountBalances(new InMemoryBalanceRepository()).balances.get('a')).toBe(7);
  });

  it('refuses to work in a factory after its first await', async () => {
    const late = token<unknown>('late');
    const container = new Container()
      .register(BalanceRepository, InMemoryBalanceRepository)
      .register(late, async () => {
        await after(1);
        return inject(BalanceRepository);
      });
    expect(await messages(container)).toEqual([`late: its factory rejected with UsageError: ${advice}`]);
  });

  it('refuses to work after a build that failed', async () => {
    await new Container().build([AccountBalances]);
    expect(() => inject(BalanceRepository)).toThrow(advice);
  });
});

describe('refusals', () => {
  it('name the token that nobody provides, and who needs it', async () => {
    const config = token<string>('config');
    class TransferService {
      constructor(readonly balances = inject(BalanceRepository)) {}
    }
    const container = new Container().register(token('pool'), () => inject(config));
    expect(await messages(container, TransferService)).toEqual([
      'TransferService needs BalanceRepository, which nobody provides: .registerDependency(BalanceRepository, …)',
      'The factory of pool needs config, which nobody provides: .registerDependency(config, …)',
    ]);
  });

  it('come once, not again for everything above', async () => {
    class Above {
      readonly inner = inject(AccountBalances);
    }
    class Further {
      readonly inner = inject(AccountBalances);
      readonly other = inject(Above);
    }
    expect(await messages(new Container(), Further, Above, AccountBalances)).toEqual([
      'AccountBalances needs BalanceRepository, which nobody provides: .registerDependency(BalanceRepository, …)',
    ]);
  });

  it('are not avoided by catching', async () => {
    class Careless {
      caught = false;
      constructor() {
        try {
          inject(BalanceRepository);
        } catch {
          this.caught = true;
        }
      }
    }
    expect(await messages(new Container(), Careless)).toEqual([
      'Careless needs BalanceRepository, which nobody provides: .registerDependency(BalanceRepository, …)',
    ]);
  });

  const advice = 'Move what both need into a third, or pass one of them as an argument of the call that uses it';

  it('name a class that needs itself', async () => {
    class Narcissus {
      readonly self: Narcissus = inject(Narcissus);
    }
    expect(await messages(new Container(), Narcissus)).toEqual([
      `Circular dependency: Narcissus → Narcissus. ${advice}`,
    ]);
  });

  it('name a circle of two, and not who only leads to it', async () => {
    const egg = token<Hen>('egg');
    class Hen {
      readonly egg: unknown = inject(egg);
    }
    class Farm {
      readonly hen = inject(Hen);
    }
    const container = new Container().register(egg, async () => Promise.resolve(inject(Hen)));
    expect(await messages(container, Farm, Hen)).toEqual([`Circular dependency: Hen → egg → Hen. ${advice}`]);
  });

  it('name a circle of three', async () => {
    const paper = token<unknown>('paper');
    class Stone {
      readonly loses: unknown = inject(paper);
    }
    class Scissors {
      readonly loses = inject(Stone);
    }
    const container = new Container().register(paper, () => inject(Scissors));
    expect(await messages(container, Scissors, Stone)).toEqual([
      `Circular dependency: Scissors → Stone → paper → Scissors. ${advice}`,
    ]);
  });

  it('name a circle of transients', async () => {
    const [a, b] = [token<unknown>('a'), token<unknown>('b')];
    class Root {
      readonly a = inject(a);
    }
    const container = new Container()
      .register(a, () => inject(b), { lifetime: 'transient' })
      .register(b, () => inject(a), { lifetime: 'transient' });
    expect(await messages(container, Root)).toEqual([`Circular dependency: a → b → a. ${advice}`]);
  });

  it('find a circle behind an async factory', async () => {
    const slow = token<number>('slow');
    class First {
      readonly slow = inject(slow);
      readonly second: unknown = inject(Second);
    }
    class Second {
      readonly first = inject(First);
    }
    const container = new Container().register(slow, async () => after(1, 1));
    expect(await messages(container, First, Second)).toEqual([
      `Circular dependency: First → Second → First. ${advice}`,
    ]);
  });

  it('say which factory threw, on which path, and why', async () => {
    const cause = new Error('no such host');
    const container = new Container().register(BalanceRepository, () => {
      throw cause;
    });
    expect(await container.build([AccountBalances])).toEqual([
      { message: 'AccountBalances → BalanceRepository: its factory threw Error: no such host', cause },
    ]);
  });

  it('say which factory rejected, on which path, and why', async () => {
    const cause = { code: 'ECONNREFUSED' };
    const refused = Promise.withResolvers<InMemoryBalanceRepository>();
    const container = new Container().register(BalanceRepository, () => refused.promise);
    setImmediate(() => refused.reject(cause));
    expect(await container.build([AccountBalances])).toEqual([
      {
        message: "AccountBalances → BalanceRepository: its factory rejected with { code: 'ECONNREFUSED' }",
        cause,
      },
    ]);
  });

  it('say which constructor threw, on which path, and why', async () => {
    class Broken extends BalanceRepository {
      constructor() {
        super();
        throw new TypeError('no file');
      }
      get() {
        return 0;
      }
    }
    const container = new Container().register(BalanceRepository, Broken);
    expect(await messages(container, AccountBalances)).toEqual([
      'AccountBalances → Broken: its constructor threw TypeError: no file',
    ]);
  });

  it('name a factory that gives undefined, at once or later', async () => {
    const [now, later] = [token<unknown>('now'), token<unknown>('later')];
    const container = new Container()
      .register(now, () => undefined)
      .register(later, async () => Promise.resolve(undefined));
    expect(await messages(container)).toEqual([
      'now: its factory gave undefined; it has to return the dependency',
      'later: its factory gave undefined; it has to return the dependency',
    ]);
  });

  it('come all at once in a ConfigurationError', async () => {
    const [a, b] = [new Error('a'), new Error('b')];
    const container = new Container()
      .register(token('one'), async () => Promise.reject(a))
      .register(token('two'), () => {
        throw b;
      });
    const error = new ConfigurationError([...(await container.build([AccountBalances])), 'and another thing']);
    expect(error.message).toBe(
      `The application cannot be built:
- AccountBalances needs BalanceRepository, which nobody provides: .registerDependency(BalanceRepository, …)
- two: its factory threw Error: b
- one: its factory rejected with Error: a
- and another thing`,
    );
    expect(error).toMatchObject({ code: 'CONFIGURATION', name: 'ConfigurationError', cause: { errors: [b, a] } });
    expect(error.findings).toHaveLength(4);
    expect(new ConfigurationError([{ message: 'x', cause: a }]).cause).toBe(a);
  });
});

describe('classes made per use', () => {
  class Account {
    balance = 0;
    constructor(readonly repository = inject(BalanceRepository)) {}
  }

  it('are constructed later, synchronously, with what was built', async () => {
    const container = new Container().register(BalanceRepository, async () =>
      Promise.resolve(new InMemoryBalanceRepository()),
    );
    expect(await container.build([], [Account])).toEqual([]);
    const [a, b] = [container.construct(Account), container.construct(Account)];
    expect(a).not.toBe(b);
    expect(a.repository).toBe(container.get(BalanceRepository));
    expect(b.repository).toBe(a.repository);
  });

  it('are tried by the build, so that what they lack is found there', async () => {
    expect(await new Container().build([], [Account])).toEqual([
      {
        message: 'Account needs BalanceRepository, which nobody provides: .registerDependency(BalanceRepository, …)',
      },
    ]);
  });

  it('are not among the instances', async () => {
    const container = new Container().register(BalanceRepository, InMemoryBalanceRepository);
    await container.build([], [Account]);
    expect(container.instances()).toEqual([container.get(BalanceRepository)]);
  });

  it('add no finding of their own when a dependency was refused', async () => {
    const container = new Container().register(BalanceRepository, () => {
      throw new Error('no');
    });
    const findings = await container.build([], [Account]);
    expect(findings.map((finding) => finding.message)).toEqual(['BalanceRepository: its factory threw Error: no']);
  });

  it('refuse a transient with an async factory, which nobody could await', async () => {
    const container = new Container().register(
      BalanceRepository,
      async () => Promise.resolve(new InMemoryBalanceRepository()),
      { lifetime: 'transient' },
    );
    const message =
      'Account needs BalanceRepository, which is transient and has an asynchronous factory, but is itself constructed ' +
      'again for every use, synchronously. Register BalanceRepository as a singleton';
    expect(await container.build([], [Account])).toEqual([{ message }]);
    expect(() => container.construct(Account)).toThrow(new ConfigurationError([message]));
    expect(() => container.get(BalanceRepository)).toThrow(
      new ConfigurationError([
        'BalanceRepository has an asynchronous factory and is transient, so it can be injected while the application ' +
          'is built, but not fetched later. Register it as a singleton',
      ]),
    );
  });

  it('get a transient of their own', async () => {
    const container = new Container().register(BalanceRepository, InMemoryBalanceRepository, {
      lifetime: 'transient',
    });
    await container.build([], [Account]);
    expect(container.construct(Account).repository).not.toBe(container.construct(Account).repository);
  });

  it('pass on what their constructor throws', async () => {
    const error = new RangeError('full');
    let full = false;
    class Fussy {
      balance = 0;
      constructor() {
        if (full) throw error;
      }
    }
    const container = new Container();
    await container.build([], [Fussy]);
    full = true;
    expect(() => container.construct(Fussy)).toThrow(error);
  });
});

describe('asking', () => {
  it('refuses a token that nobody provides', async () => {
    const container = await built(new Container());
    expect(() => container.get(BalanceRepository)).toThrow(
      new ConfigurationError(['Nobody provides BalanceRepository: .registerDependency(BalanceRepository, …)']),
    );
    expect(container.has(BalanceRepository)).toBe(false);
  });

  it('refuses to answer before the build', () => {
    const container = new Container().register(BalanceRepository, InMemoryBalanceRepository);
    expect(() => container.get(BalanceRepository)).toThrow(
      'BalanceRepository was asked for before the container was built',
    );
  });
});

describe('what a construction resolved', () => {
  class Session {
    readonly open = true;
  }
  const [repository, outer, unrelated] = [token<object>('repository'), token<object>('outer'), token<object>('x')];
  class Writer {
    readonly outer = inject(outer);
  }
  class Other {
    readonly x = inject(unrelated);
  }

  const register = (container: Container): Container =>
    container
      .register(Session, Session)
      .register(unrelated, () => ({}))
      .register(outer, async () => Promise.resolve({ inner: inject(repository) }));

  it('holds a token reached through factories and singletons built before', async () => {
    const container = register(new Container()).register(repository, () => ({ session: inject(Session) }));
    await built(container, Writer, Other);
    expect(container.resolved(Writer)).toEqual(new Set([outer, repository, Session]));
    expect(container.resolved(Other)).toEqual(new Set([unrelated]));
  });

  it('holds a token reached through a transient', async () => {
    const transient = { lifetime: 'transient' } as const;
    const container = register(new Container()).register(repository, () => ({ s: inject(Session) }), transient);
    await built(container, Writer, Other);
    expect(container.resolved(Writer)).toEqual(new Set([outer, repository, Session]));
  });

  it('is the same for the second class that uses a singleton', async () => {
    class Second {
      readonly outer = inject(outer);
    }
    const container = register(new Container()).register(repository, () => inject(Session));
    await built(container, Writer, Second);
    expect(container.resolved(Second)).toEqual(container.resolved(Writer));
  });

  it('is known for an instance, a transient too', async () => {
    const writers = token<Writer>('writers');
    class Two {
      readonly writer = inject(writers);
      readonly x = inject(unrelated);
    }
    const container = register(new Container())
      .register(repository, () => inject(Session))
      .register(writers, Writer, { lifetime: 'transient' });
    await built(container, Two);
    const two = container.get(Two);
    expect(container.resolved(two.writer)).toEqual(new Set([outer, repository, Session]));
    expect(container.resolved(two)).toEqual(new Set([writers, outer, repository, Session, unrelated]));
    expect(container.resolved({})).toEqual(new Set());
  });

  it('is known for classes made per use', async () => {
    const container = register(new Container()).register(repository, () => inject(Session));
    await container.build([], [Writer]);
    expect(container.resolved(Writer)).toEqual(new Set([outer, repository, Session]));
  });
});

describe('instances', () => {
  it('come a dependency before its dependents, otherwise in order of registration', async () => {
    const [a, b, c, d] = [token<string>('a'), token<string>('b'), token<string>('c'), token<string>('d')];
    const container = new Container()
      .register(a, () => (inject(c), 'a'))
      .register(b, async () => after(2, 'b'))
      .register(c, async () => (inject(d), after(1, 'c')))
      .register(d, () => 'd');
    await built(container);
    expect(container.instances()).toEqual(['d', 'c', 'a', 'b']);
  });

  it('come once, also under two tokens', async () => {
    const alias = token<BalanceRepository>('alias');
    const container = new Container()
      .register(alias, () => inject(BalanceRepository))
      .register(BalanceRepository, InMemoryBalanceRepository);
    await built(container);
    expect(container.instances()).toEqual([container.get(BalanceRepository)]);
  });

  it('are found in one walk, though every level needs the one below twice', async () => {
    const container = new Container();
    let below = token<object>('0');
    container.register(below, () => ({}));
    for (let level = 1; level <= 40; level++) {
      const [here, left, right, inner] = [token<object>(`${level}`), token<object>('l'), token<object>('r'), below];
      container.register(left, () => ({ inner: inject(inner) })).register(right, () => ({ inner: inject(inner) }));
      container.register(here, () => [inject(left), inject(right)]);
      below = here;
    }
    await built(container);
    expect(container.instances()).toHaveLength(121);
    expect(container.resolved(below).size).toBe(120);
  });

  it('include the transients that others were built with', async () => {
    const container = new Container().register(BalanceRepository, InMemoryBalanceRepository, {
      lifetime: 'transient',
    });
    await built(container, AccountBalances);
    const { balances } = container.get(AccountBalances);
    expect(container.instances()).toEqual([balances, container.get(AccountBalances)]);
  });
});
