import { Command, intercepts, type MessageContext, Query } from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { MiddlewareChain } from '../../../src/routing/middleware.ts';

class Open extends Command('chain.Open')<{ owner: string }, string> {}
class Close extends Command('chain.Close') {}
class Count extends Query('chain.Count')<{ what: string }, number> {}

const open = new Open({ aggregateId: 'a', owner: 'Ada' });
const context = { tenant: 't' } as unknown as MessageContext;
type Next = () => Promise<unknown>;

class Everything {
  readonly heard: string[] = [];
  @intercepts(Command, Query)
  async all(message: Command | Query, next: Next, { tenant }: MessageContext): Promise<unknown> {
    this.heard.push(`${message.constructor.name} of ${tenant}`);
    return next();
  }
}

describe('a chain of middleware', () => {
  it('runs in the order of registration, the first outermost', async () => {
    const log: string[] = [];
    const named = (name: string): object => {
      class Named {
        @intercepts(Command)
        async around(_: Command, next: Next): Promise<unknown> {
          log.push(`${name} before`);
          const result = await next();
          log.push(`${name} after`);
          return `${name}(${String(result)})`;
        }
      }
      return new Named();
    };
    const chain = new MiddlewareChain([named('a'), named('b')]);
    const answer = await chain.run(Command, open, context, async () => {
      log.push('handler');
      return 'done';
    });
    expect(answer).toBe('a(b(done))');
    expect(log).toEqual(['a before', 'b before', 'handler', 'b after', 'a after']);
  });

  it('tells commands from queries, and one class from another', async () => {
    class OpenOnly {
      seen = 0;
      @intercepts(Open)
      async open(_: Open, next: () => Promise<string>): Promise<string> {
        this.seen++;
        return next();
      }
    }
    class Queries {
      seen = 0;
      @intercepts(Query)
      async query(_: Query, next: Next): Promise<unknown> {
        this.seen++;
        return next();
      }
    }
    const [everything, openOnly, queries] = [new Everything(), new OpenOnly(), new Queries()];
    const chain = new MiddlewareChain([everything, openOnly, queries]);
    await chain.run(Command, open, context, async () => '');
    await chain.run(Command, new Close({ aggregateId: 'a' }), context, async () => '');
    await chain.run(Query, new Count({ what: 'x' }), context, async () => 1);
    expect(everything.heard).toEqual(['Open of t', 'Close of t', 'Count of t']);
    expect([openOnly.seen, queries.seen]).toEqual([1, 1]);
  });

  it('shows a message to one method of each middleware: the most specific', async () => {
    const heard: string[] = [];
    class Both {
      @intercepts(Command)
      async all(_: Command, next: Next): Promise<unknown> {
        heard.push('all');
        return next();
      }
      @intercepts(Open)
      async open(_: Open, next: () => Promise<string>): Promise<string> {
        heard.push('open');
        return next();
      }
    }
    const chain = new MiddlewareChain([new Both()]);
    await chain.run(Command, open, context, async () => '');
    await chain.run(Command, new Close({ aggregateId: 'a' }), context, async () => '');
    expect(heard).toEqual(['open', 'all']);
  });

  it('may answer without going on', async () => {
    class Shut {
      @intercepts(Open)
      async open(): Promise<string> {
        return 'shut';
      }
    }
    let handled = false;
    const answer = new MiddlewareChain([new Shut()]).run(Command, open, context, async () => {
      handled = true;
      return 'open';
    });
    expect(await answer).toBe('shut');
    expect(handled).toBe(false);
  });

  it('refuses a second next()', async () => {
    class Twice {
      @intercepts(Open)
      async open(_: Open, next: () => Promise<string>): Promise<string> {
        await next();
        return next();
      }
    }
    const answer = new MiddlewareChain([new Twice()]).run(Command, open, context, async () => 'x');
    await expect(answer).rejects.toThrow('Twice.open called next() a second time: a message is handled once.');
  });

  it('rejects where a middleware throws at once', async () => {
    class Throws {
      @intercepts(Open)
      open(): Promise<string> {
        throw new RangeError('no');
      }
    }
    await expect(new MiddlewareChain([new Throws()]).run(Command, open, context, async () => 'x')).rejects.toThrow(
      'no',
    );
  });
});
