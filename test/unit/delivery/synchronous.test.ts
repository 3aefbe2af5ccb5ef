import {
  type Application,
  type ApplicationBuilder,
  DispatchDepthError,
  EffectInTransactionError,
  Event,
  type EventContext,
  EventProcessor,
  handlesAnyEvent,
  handlesEvent,
  handlesQuery,
  type HandlerResult,
  park,
  ProcessorFailedError,
  Projection,
  Query,
  retryAfter,
  skip,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import {
  Account,
  acts,
  Bank,
  deposit,
  Deposited,
  ends,
  Gate,
  history,
  Noted,
  perform,
  stores,
  turns,
} from '../command/bank.ts';

/** An event processor that does what the test says. */
function processor(
  name: string,
  on: (event: Event, context: EventContext) => unknown,
): new () => EventProcessor & { all(event: Event, context: EventContext): HandlerResult } {
  return class extends EventProcessor {
    static processorName = `bank.${name}`;
    @handlesAnyEvent
    all(event: Event, context: EventContext): HandlerResult {
      return on(event, context) as HandlerResult;
    }
  };
}

const withProcessors =
  (...processors: (new () => EventProcessor)[]) =>
  (builder: ApplicationBuilder): void => {
    for (const type of processors) builder.registerEventProcessor(type);
  };

const told = (event: Event): string => (event instanceof Noted ? event.text : String((event as Deposited).amount));
const tell = (...texts: string[]): void => {
  acts.set('tell', (account) => {
    for (const text of texts) account.tell(new Noted({ text }));
  });
};
async function failure(work: Promise<unknown>): Promise<unknown> {
  return ends(work).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.each(stores)('synchronous processors (%s)', (store) => {
  it('are done when dispatch resolves', async () => {
    await using bank = new Bank(store);
    const seen: string[] = [];
    const P = processor('p', async (event) => {
      await turns(3);
      seen.push(told(event));
    });
    const app = await bank.app(withProcessors(P));
    await app.dispatch(deposit(5));
    expect(seen).toEqual(['5']);
  });

  it('run in the order of registration, each event through all of them before the next', async () => {
    await using bank = new Bank(store);
    const seen: string[] = [];
    const P = processor('p', async (event) => {
      await turns(1);
      seen.push(`p ${told(event)}`);
    });
    const Q = processor('q', (event) => {
      seen.push(`q ${told(event)}`);
    });
    const app = await bank.app(withProcessors(P, Q));
    tell('1', '2');
    await app.dispatch(perform('tell'));
    expect(seen).toEqual(['p 1', 'q 1', 'p 2', 'q 2']);
  });

  it('see nothing of commands that lost their race', async () => {
    await using bank = new Bank(store);
    const seen: string[] = [];
    const P = processor('p', (event) => {
      seen.push(told(event));
    });
    const one = await bank.app(withProcessors(P));
    const two = await bank.app();
    let runs = 0;
    acts.set('race', async (account) => {
      if (++runs === 1) await two.dispatch(deposit(1));
      account.tell(new Noted({ text: `run ${runs}` }));
    });
    await one.dispatch(perform('race'));
    expect(seen).toEqual(['run 2']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
      'no',
    ],
    [
      'rejects',
      async () => {
        await turns(1);
        throw new RangeError('no');
      },
      'no',
    ],
    ['parks', () => park('poison'), 'it returned park: poison'],
    ['asks for a retry', async () => retryAfter('30s', 'not yet'), 'it returned retry: not yet'],
  ] as const)('fail the command where one %s, and nothing is stored', async (_, act, why) => {
    await using bank = new Bank(store);
    const seen: string[] = [];
    const First = processor('first', (event) => {
      seen.push(told(event));
    });
    const Bad = processor('bad', (event) => (told(event) === '2' ? act() : undefined));
    const app = await bank.app(withProcessors(First, Bad), { cache: true });
    tell('1', '2', '3');
    const error = await failure(app.dispatch(perform('tell'), { idempotencyKey: 'k' }));
    expect(error).toBeInstanceOf(ProcessorFailedError);
    expect(error).toMatchObject({
      code: 'PROCESSOR_FAILED',
      processor: 'bank.bad',
      eventName: 'bank.Noted',
      message: `The synchronous processor bank.bad failed at bank.Noted, so nothing was stored: ${why}`,
    });
    expect((error as Error).cause).toEqual(why === 'no' ? new RangeError('no') : undefined);
    expect(seen).toEqual(['1', '2']);
    expect(await app.log.head()).toBe(0n);
    expect((await app.load(Account, 'a')).version).toBe(0);
    expect(await app.dispatch(deposit(1))).toBe(1);
    expect(await history(app)).toEqual(['bank.Deposited 1']);
  });

  it('may skip', async () => {
    await using bank = new Bank(store);
    const app = await bank.app(
      withProcessors(
        processor('p', () => skip('not mine')),
        processor('q', async () => skip('nor mine')),
      ),
    );
    await app.dispatch(deposit(1));
    expect(await history(app)).toEqual(['bank.Deposited 1']);
  });

  it('refuse once(), by processor and key', async () => {
    await using bank = new Bank(store);
    let ran = false;
    const P = processor('mail', async (_, { once }) => {
      await once('send', () => {
        ran = true;
      });
    });
    const app = await bank.app(withProcessors(P));
    const error = await failure(app.dispatch(deposit(1)));
    expect((error as Error).cause).toEqual(new EffectInTransactionError('bank.mail', 'send'));
    expect(ran).toBe(false);
    expect(await app.log.head()).toBe(0n);
  });

  it('fail the command when one takes too long', async () => {
    await using bank = new Bank(store);
    const P = processor('slow', () => new Promise(() => {}));
    const app = await bank.app((builder) => builder.registerEventProcessor(P, { timeout: 30 }));
    expect(await failure(app.dispatch(deposit(1)))).toMatchObject({ cause: { code: 'HANDLER_TIMEOUT' } });
    expect(await app.log.head()).toBe(0n);
  });

  it('are told all about the event', async () => {
    await using bank = new Bank(store);
    const contexts: Record<string, unknown>[] = [];
    const P = processor('p', (_, c) => {
      contexts.push({
        id: c.aggregateId,
        type: c.aggregateType,
        tenant: c.tenant,
        sequence: c.sequence,
        position: c.position,
        correlation: c.correlationId,
        headers: c.headers,
        attempt: c.attempt,
        replaying: c.replaying,
      });
      expect(c.signal.aborted).toBe(false);
      expect(c.timestamp).toBeInstanceOf(Date);
    });
    const app = await bank.app(withProcessors(P));
    await app.dispatch(deposit(1, 'other'));
    await app.dispatch(deposit(1), { tenant: 't', correlationId: 'c', headers: { user: 'u' } });
    expect(contexts[1]).toEqual({
      id: 'a',
      type: 'bank.Account',
      tenant: 't',
      sequence: 1,
      position: 2n,
      correlation: 'c',
      headers: { user: 'u' },
      attempt: 1,
      replaying: false,
    });
  });

  it('get payloads that no other handler can change', async () => {
    await using bank = new Bank(store);
    class Dated extends Event('bank.Dated')<{ at: Date; tags: Set<string> }> {}
    const seen: unknown[] = [];
    const Bad = processor('bad', (event, context) => {
      (event as Dated).at.setFullYear(1900);
      (event as Dated).tags.add('bad');
      context.timestamp.setFullYear(1900);
    });
    const Good = processor('good', (event, context) => {
      seen.push((event as Dated).at.getTime(), (event as Dated).tags.size, context.timestamp.getFullYear() > 2000);
    });
    const app = await bank.app((builder) => {
      builder.registerEvent(Dated);
      withProcessors(Bad, Good)(builder);
    });
    acts.set('dated', (account) => account.tell(new Dated({ at: new Date(5), tags: new Set(['x']) })));
    await app.dispatch(perform('dated'));
    expect(seen).toEqual([5, 1, true]);
    const { events } = await app.log.read();
    expect(events[0]?.data).toEqual({ at: new Date(5), tags: new Set(['x']) });
    expect(events[0]!.timestamp.getFullYear()).toBeGreaterThan(2000);
  });
});

describe.each(stores)('a command that a synchronous handler dispatches (%s)', (store) => {
  /** What each event of account `a` makes others do. */
  const causes =
    (what: Record<string, (dispatch: EventContext['dispatch'], context: EventContext) => unknown>) =>
    (event: Event, context: EventContext): unknown =>
      what[told(event)]?.(context.dispatch, context);

  it('joins the transaction, answers at once, and its events queue behind: the order of the log', async () => {
    await using bank = new Bank(store);
    const seen: string[] = [];
    const answers: unknown[] = [];
    const Causes = processor(
      'causes',
      causes({
        '1': async (dispatch) => answers.push(await dispatch(deposit(10, 'b')), await dispatch(deposit(20, 'b'))),
        '10': (dispatch) => dispatch(deposit(100, 'c')),
      }),
    );
    const Sees = processor('sees', (event, { position }) => {
      seen.push(`${position} ${told(event)}`);
    });
    const app = await bank.app(withProcessors(Causes, Sees));
    tell('1', '2');
    await ends(app.dispatch(perform('tell')));
    expect(answers).toEqual([10, 30]);
    expect(seen).toEqual(['1 1', '2 2', '3 10', '4 20', '5 100']);
    const { events } = await app.log.read();
    expect(events.map(({ stream, data }) => `${stream.id} ${Object.values(data as object).join('')}`)).toEqual([
      'a 1',
      'a 2',
      'b 10',
      'b 20',
      'c 100',
    ]);
  });

  it('commits or rolls back with all the rest', async () => {
    await using bank = new Bank(store);
    const Causes = processor('causes', causes({ '1': (dispatch) => dispatch(deposit(10, 'b')) }));
    const Fails = processor(
      'fails',
      causes({
        '10': () => {
          throw new RangeError('no');
        },
      }),
    );
    const app = await bank.app(withProcessors(Causes, Fails));
    tell('1');
    expect(await failure(app.dispatch(perform('tell')))).toMatchObject({ processor: 'bank.fails' });
    expect(await app.log.head()).toBe(0n);
    expect(await app.dispatch(deposit(3, 'b'))).toBe(3);
  });

  it('that is refused fails the handler, which may catch it: then it leaves nothing', async () => {
    await using bank = new Bank(store);
    acts.set('refuse', (account) => {
      account.tell(new Deposited({ amount: 1000 }));
      throw new RangeError('refused');
    });
    const seen: string[] = [];
    let caught = true;
    const Causes = processor(
      'causes',
      causes({
        '1': async (dispatch) => {
          await dispatch(deposit(10, 'b'));
          const refused = dispatch(perform('refuse', 'b'));
          if (caught) await refused.catch(() => {});
          else await refused;
          await dispatch(deposit(20, 'b'));
        },
      }),
    );
    const Sees = processor('sees', (event) => {
      seen.push(told(event));
    });
    const app = await bank.app(withProcessors(Causes, Sees));
    tell('1', '2');
    await ends(app.dispatch(perform('tell')));
    expect(seen).toEqual(['1', '2', '10', '20']);
    expect(await history(app, 'b')).toEqual(['bank.Deposited 10', 'bank.Deposited 20']);
    caught = false;
    const error = await failure(app.dispatch(perform('tell', 'd')));
    expect(error).toMatchObject({ processor: 'bank.causes', cause: new RangeError('refused') });
    expect(await app.log.head()).toBe(4n);
  });

  it('takes its turn where a handler awaits two together, one of them refused', async () => {
    await using bank = new Bank(store);
    acts.set('slow', async (account) => {
      await turns(2);
      account.tell(new Noted({ text: 'slow' }));
    });
    acts.set('refuse', async (account) => {
      account.tell(new Deposited({ amount: 1000 }));
      await turns(1);
      throw new RangeError('refused');
    });
    const Causes = processor(
      'causes',
      causes({
        '1': (dispatch) =>
          Promise.all([
            dispatch(perform('slow', 'b')),
            dispatch(perform('refuse', 'b')).catch(() => {}),
            dispatch(deposit(5, 'b')),
            dispatch(deposit(6, 'c')),
          ]).then(() => undefined),
      }),
    );
    const app = await bank.app(withProcessors(Causes));
    tell('1');
    await ends(app.dispatch(perform('tell')));
    expect(await history(app, 'b')).toEqual(['bank.Noted slow', 'bank.Deposited 5']);
    expect(await history(app, 'c')).toEqual(['bank.Deposited 6']);
  });

  it('is part of the transaction though nobody awaits it', async () => {
    await using bank = new Bank(store);
    acts.set('slow', async (account) => {
      await turns(3);
      account.tell(new Noted({ text: 'slow' }));
    });
    const seen: string[] = [];
    const Causes = processor(
      'causes',
      causes({
        '1': (dispatch) => {
          void dispatch(perform('slow', 'b'));
        },
        '2': async (dispatch) => {
          await turns(1);
          void dispatch(perform('slow', 'c'));
        },
      }),
    );
    const Sees = processor('sees', (event) => {
      seen.push(told(event));
    });
    const app = await bank.app(withProcessors(Causes, Sees));
    tell('1', '2');
    await ends(app.dispatch(perform('tell')));
    expect(seen).toEqual(['1', '2', 'slow', 'slow']);
    expect([await history(app, 'b'), await history(app, 'c')]).toEqual([['bank.Noted slow'], ['bank.Noted slow']]);
  });

  it.each(['awaited', 'left alone'])(
    'that dispatches further, %s, takes all of it along when it is refused',
    async (how) => {
      await using bank = new Bank(store);
      let app: Application | undefined;
      acts.set('slow', async (account) => {
        await turns(3);
        account.tell(new Noted({ text: 'slow' }));
      });
      let refuses = true;
      acts.set('further', async (account) => {
        account.tell(new Noted({ text: 'further' }));
        const further = app!.dispatch(perform('slow', 'c'));
        if (how === 'awaited') await further;
        if (refuses) throw new RangeError('refused');
      });
      const seen: string[] = [];
      const Causes = processor(
        'causes',
        causes({ '1': (dispatch) => dispatch(perform('further', 'b')).catch(() => {}) }),
      );
      const Sees = processor('sees', (event) => {
        seen.push(told(event));
      });
      app = await bank.app(withProcessors(Causes, Sees));
      tell('1', '2');
      await ends(app.dispatch(perform('tell')));
      expect(seen).toEqual(['1', '2']);
      expect(await app.log.head()).toBe(2n);
      refuses = false;
      await ends(app.dispatch(perform('tell')));
      expect(seen).toEqual(['1', '2', '1', '2', 'slow', 'further']);
      expect(await app.log.head()).toBe(6n);
    },
  );

  it.each([
    ['without a prototype', () => Object.create(null) as unknown],
    [
      'that is revoked',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
  ])('fails the command, whatever it throws: something %s', async (_, made) => {
    await using bank = new Bank(store);
    const Odd = processor('odd', () => {
      throw made();
    });
    const app = await bank.app(withProcessors(Odd));
    expect(await failure(app.dispatch(deposit(1)))).toMatchObject({ code: 'PROCESSOR_FAILED' });
    expect(await app.log.head()).toBe(0n);
  });

  it('ends where a circle branches, long before it is deep', async () => {
    await using bank = new Bank(store);
    const Twice = processor('twice', async (_, { dispatch }) => {
      await dispatch(deposit(1, 'b'));
      await dispatch(deposit(1, 'b'));
    });
    const app = await bank.app(withProcessors(Twice));
    const error = await failure(app.dispatch(deposit(1)));
    expect(error).toBeInstanceOf(DispatchDepthError);
    expect((error as Error).message).toMatch(/^More than 1,000 events were caused in one transaction, so everything/);
    expect(await app.log.head()).toBe(0n);
  });

  it('may go to the very aggregate whose command waits', async () => {
    await using bank = new Bank(store);
    const Causes = processor('causes', causes({ '1': (dispatch) => dispatch(deposit(7, 'a')).then(() => undefined) }));
    const app = await bank.app(withProcessors(Causes), { cache: true, snapshotEvery: 1 });
    tell('1');
    await ends(app.dispatch(perform('tell')));
    expect(await history(app)).toEqual(['bank.Noted 1', 'bank.Deposited 7']);
    expect(await ends(app.dispatch(deposit(1)))).toBe(8);
  });

  it('never waits for commands that wait for its transaction', async () => {
    await using bank = new Bank(store);
    const Causes = processor('causes', async (event, { dispatch, aggregateId }) => {
      if (!told(event).startsWith('cross')) return;
      await turns(2);
      await dispatch(deposit(1, aggregateId === 'a' ? 'b' : 'a'));
    });
    const app = await bank.app(withProcessors(Causes), { concurrencyRetries: 50 });
    acts.set('cross', (account) => account.tell(new Noted({ text: 'cross' })));
    await ends(
      Promise.all(Array.from({ length: 20 }, (_, i) => app.dispatch(perform('cross', i % 2 === 0 ? 'a' : 'b')))),
      15_000,
    );
    expect((await app.load(Account, 'a')).version + (await app.load(Account, 'b')).version).toBe(40);
  });

  it('has a key of processor, event and count, so that two equal ones are two', async () => {
    await using bank = new Bank(store);
    const Causes = processor(
      'causes',
      causes({
        '1': async (dispatch) => {
          await dispatch(deposit(10, 'b'));
          await dispatch(deposit(10, 'b'));
        },
      }),
    );
    const adapter = bank.adapter();
    const app = await bank.app(withProcessors(Causes), {}, adapter);
    tell('1');
    await app.dispatch(perform('tell'));
    expect(await history(app, 'b')).toEqual(['bank.Deposited 10', 'bank.Deposited 10']);
    const { events } = await app.log.read();
    const commandName = 'bank.Deposit';
    const keys = [1, 2].map((n) => ({ tenant: '', commandName, key: `bank.causes/${events[0]?.eventId}/${n}` }));
    for (const key of keys) expect(await adapter.store!.events.findKey(key)).toBeDefined();
  });

  it('is stopped at a depth of 100, by the names of the chain', async () => {
    await using bank = new Bank(store);
    const P = processor('circle', async (_, { dispatch }) => {
      await dispatch(deposit(1, 'b'));
    });
    const app = await bank.app(withProcessors(P));
    const error = await failure(app.dispatch(deposit(1)));
    expect(error).toBeInstanceOf(DispatchDepthError);
    expect((error as Error).message).toMatchInlineSnapshot(
      `"Commands caused one another more than 100 deep, so everything was rolled back: bank.Deposit → bank.Deposited → bank.Deposit → bank.Deposited → … 191 more … → bank.Deposited → bank.Deposit → bank.Deposited → bank.Deposit → bank.Deposited → bank.Deposit. Break the circle, or make one of the processors asynchronous."`,
    );
    expect((error as DispatchDepthError).chain).toHaveLength(201);
    expect(await app.log.head()).toBe(0n);
  });
});

describe.each(stores)('nothing waits for itself (%s)', (store) => {
  class Ask extends Query('bank.Ask')<{ id: string }, number> {}

  it.each(['a', 'b'])('a command handler that dispatches to %s', async (to) => {
    await using bank = new Bank(store);
    let app: Application | undefined;
    acts.set('send', async (account) => {
      account.tell(new Noted({ text: 'sent' }));
      return app!.dispatch(deposit(1, to));
    });
    app = await bank.app();
    const outcome = await failure(app.dispatch(perform('send')));
    // To itself: what it decided on has changed, and changes again with every retry.
    expect(outcome).toEqual(to === 'a' ? expect.objectContaining({ code: 'CONCURRENCY' }) : undefined);
    expect(await ends(app.dispatch(deposit(1)))).toBeGreaterThan(0);
  });

  it('commands that dispatch in a circle', async () => {
    await using bank = new Bank(store);
    let app: Application | undefined;
    acts.set('circle', ({ id }) => app!.dispatch(perform('circle', id === 'a' ? 'b' : 'a')));
    app = await bank.app();
    expect(await failure(app.dispatch(perform('circle')))).toBeInstanceOf(DispatchDepthError);
    expect(await ends(app.dispatch(deposit(1)))).toBe(1);
  });

  it('two commands that dispatch to each other’s aggregates', async () => {
    await using bank = new Bank(store);
    let app: Application | undefined;
    const gate = new Gate();
    acts.set('cross', async ({ id }) => {
      if (gate.waiting === 1) gate.open();
      await gate.pass();
      return app!.dispatch(deposit(1, id === 'a' ? 'b' : 'a'));
    });
    app = await bank.app();
    await ends(Promise.all([app.dispatch(perform('cross', 'a')), app.dispatch(perform('cross', 'b'))]));
  });

  it('a query on the way: of a command handler, of a synchronous handler', async () => {
    await using bank = new Bank(store);
    let app: Application | undefined;
    class Asks extends Projection {
      static processorName = 'bank.asks';
      @handlesQuery(Ask)
      async ask({ id }: Ask): Promise<number> {
        return app!.dispatch(deposit(1, id));
      }
      @handlesEvent(Noted)
      async on({ text }: Noted): Promise<void> {
        if (text === 'ask') await app?.query(new Ask({ id: 'a' }));
      }
    }
    app = await bank.app((builder) => builder.registerEventProcessor(Asks));
    acts.set('query', async () => {
      await turns(1);
      return app.query(new Ask({ id: 'a' }));
    });
    expect(await ends(app.dispatch(perform('query')))).toBe(1);
    acts.set('ask', (account) => account.tell(new Noted({ text: 'ask' })));
    await ends(app.dispatch(perform('ask')));
    expect(await history(app)).toEqual(['bank.Deposited 1', 'bank.Noted ask', 'bank.Deposited 1']);
  });
});

describe('a processor of no event of a command', () => {
  it('costs it no transaction', async () => {
    await using bank = new Bank();
    class Other extends EventProcessor {
      @handlesEvent(Noted) on(_: Noted): void {}
    }
    const adapter = bank.adapter();
    const units: unknown[] = [];
    const { unitOfWork } = adapter.store!;
    const run = unitOfWork.run.bind(unitOfWork);
    unitOfWork.run = (work) => {
      units.push(work);
      return run(work);
    };
    const app = await bank.app((builder) => builder.registerEventProcessor(Other), {}, adapter);
    units.length = 0;
    await app.dispatch(deposit(1));
    expect(units).toEqual([]);
    tell('x');
    await app.dispatch(perform('tell'));
    expect(units).toHaveLength(1);
  });
});
