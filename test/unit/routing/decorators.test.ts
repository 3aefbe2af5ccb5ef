import {
  Aggregate,
  appliesEvent,
  Command,
  ConfigurationError,
  Event,
  type EventContext,
  EventProcessor,
  handlesAnyEvent,
  handlesCommand,
  handlesEvent,
  handlesQuery,
  intercepts,
  Projection,
  Query,
  routes,
} from 'interlock-cqrs';
import { describe, expect, it } from 'vitest';
import { ANY, handlerTable, type RouteKind } from '../../../src/routing/handler-table.ts';

class Opened extends Event('routing.Opened')<{ owner: string }> {}
class Closed extends Event('routing.Closed') {}
class Moved extends Event('routing.Moved')<{ amount: number }> {}
class Open extends Command('routing.Open')<{ owner: string }, string> {}
class Count extends Query('routing.Count')<{ what: string }, number> {}

const opened = new Opened({ owner: 'Ada' });

/** What the handler of a message answers; `undefined` where there is none. */
function ask(instance: object, kind: RouteKind, type: object, message: object = opened): unknown {
  return handlerTable(instance.constructor).get(kind, type)?.call(instance, message);
}

/** What event handlers return is for the loops; these return what tells them apart. */
const says = (what: string): undefined => what as unknown as undefined;

describe('a handler', () => {
  it('takes every event that its decorator names', () => {
    class P extends EventProcessor {
      @handlesEvent(Opened, Closed)
      any(event: Opened | Closed) {
        return says(event instanceof Opened ? 'opened' : 'closed');
      }
    }
    const p = new P();
    expect(ask(p, 'event', Opened)).toBe('opened');
    expect(ask(p, 'event', Closed, new Closed())).toBe('closed');
    expect(ask(p, 'event', Moved)).toBeUndefined();
  });

  it('may be private, in the words of TypeScript and of the language', () => {
    class P extends EventProcessor {
      #seen = 'private';
      @handlesEvent(Opened) #opened(_: Opened) {
        return says(this.#seen);
      }
      @handlesEvent(Closed) private closed(_: Closed) {
        return says(`${this.#seen} too`);
      }
    }
    const p = new P();
    expect(ask(p, 'event', Opened)).toBe('private');
    expect(ask(p, 'event', Closed)).toBe('private too');
    expect(handlerTable(P).get('event', Opened)?.label).toBe('P.#opened');
  });

  it('finds `this` and the context', () => {
    class P extends EventProcessor {
      name = 'p';
      @handlesEvent(Opened)
      opened(event: Opened, context: EventContext) {
        return says(`${this.name} ${event.owner} ${context.aggregateId}`);
      }
    }
    const handler = handlerTable(P).get('event', Opened)!;
    expect(handler.call(new P(), opened, { aggregateId: 'a' })).toBe('p Ada a');
  });

  it('of any event stands aside where there is one of that event', () => {
    class P extends EventProcessor {
      @handlesAnyEvent
      any() {
        return says('any');
      }
      @handlesEvent(Opened)
      opened(_: Opened) {
        return says('opened');
      }
    }
    const table = handlerTable(P);
    expect(table.get('event', Opened)?.label).toBe('P.opened');
    expect(table.get('event', Closed)).toBeUndefined();
    expect(table.get('anyEvent', ANY)?.label).toBe('P.any');
  });

  it('is one for each message of a class', () => {
    class P extends EventProcessor {
      @handlesEvent(Opened) first(_: Opened) {}
      @handlesEvent(Moved, Opened) second(_: Moved | Opened) {}
    }
    expect(() => handlerTable(P)).toThrow(
      new ConfigurationError(
        ['P handles routing.Opened twice, in first and second: drop one of the two.'],
        'P cannot be used',
      ),
    );
    class Q extends Projection {
      @handlesQuery(Count) one(_: Count) {
        return 1;
      }
      @handlesQuery(Count) two(_: Count) {
        return 2;
      }
    }
    expect(() => handlerTable(Q)).toThrow('Q handles routing.Count twice, in one and two');
    class R extends EventProcessor {
      @handlesAnyEvent one() {}
      @handlesAnyEvent two() {}
    }
    expect(() => handlerTable(R)).toThrow('R handles any event twice, in one and two');
  });
});

describe('a subclass', () => {
  class Base extends EventProcessor {
    @handlesEvent(Opened) opened(_: Opened) {
      return says('base opened');
    }
    @handlesEvent(Closed, Moved) others(_: Closed | Moved) {
      return says('base others');
    }
    @handlesAnyEvent any() {
      return says('base any');
    }
  }

  it('inherits handlers', () => {
    class Sub extends Base {}
    expect(ask(new Sub(), 'event', Opened)).toBe('base opened');
    expect(ask(new Sub(), 'anyEvent', ANY)).toBe('base any');
  });

  it('wins by method: an override runs instead', () => {
    class Sub extends Base {
      override opened(_: Opened) {
        return says('sub opened');
      }
    }
    expect(ask(new Sub(), 'event', Opened)).toBe('sub opened');
    expect(ask(new Base(), 'event', Opened)).toBe('base opened');
  });

  it('wins by method: an override that is decorated again takes the new events only', () => {
    class Sub extends Base {
      @handlesEvent(Moved)
      override others(_: Moved | Closed) {
        return says('sub moved');
      }
    }
    expect(ask(new Sub(), 'event', Moved)).toBe('sub moved');
    expect(ask(new Sub(), 'event', Closed)).toBeUndefined();
    expect(ask(new Sub(), 'event', Opened)).toBe('base opened');
  });

  it('wins by event: another method for an inherited event is no second handler', () => {
    class Sub extends Base {
      @handlesEvent(Opened) mine(_: Opened) {
        return says('mine');
      }
      @handlesAnyEvent rest() {
        return says('rest');
      }
    }
    expect(ask(new Sub(), 'event', Opened)).toBe('mine');
    expect(ask(new Sub(), 'event', Closed)).toBe('base others');
    expect(ask(new Sub(), 'anyEvent', ANY)).toBe('rest');
  });

  it('leaves its siblings and its base alone', () => {
    class Left extends Base {
      @handlesEvent(Opened) left(_: Opened) {
        return says('left');
      }
    }
    class Right extends Base {
      @handlesEvent(Opened) right(_: Opened) {
        return says('right');
      }
    }
    expect(ask(new Left(), 'event', Opened)).toBe('left');
    expect(ask(new Right(), 'event', Opened)).toBe('right');
    expect(ask(new Base(), 'event', Opened)).toBe('base opened');
  });

  it('inherits private handlers, which one of the same name does not override', () => {
    class P extends EventProcessor {
      @handlesEvent(Opened) #on(_: Opened) {
        return says('base');
      }
    }
    class Sub extends P {
      @handlesEvent(Closed) #on(_: Closed) {
        return says('sub');
      }
    }
    expect(ask(new Sub(), 'event', Opened)).toBe('base');
    expect(ask(new Sub(), 'event', Closed)).toBe('sub');
  });

  it('overrides appliers and command handlers alike, over any number of generations', () => {
    class A extends Aggregate {
      told = '';
      @handlesCommand(Open) open(_: Open) {
        return 'a';
      }
      @appliesEvent(Opened) on(_: Opened): void {
        this.told += 'a';
      }
    }
    class B extends A {
      override on(event: Opened): void {
        super.on(event);
        this.told += 'b';
      }
    }
    class C extends B {
      override open(_: Open) {
        return 'c';
      }
    }
    const c = new C();
    ask(c, 'applies', Opened);
    expect(c.told).toBe('ab');
    expect(ask(c, 'command', Open)).toBe('c');
    expect(ask(new A(), 'command', Open)).toBe('a');
  });

  it('may route without decorators what its base decorated, and the reverse', () => {
    class Routed extends Base {
      static {
        routes(this).event(Opened, 'mine');
      }
      mine(_: Opened) {
        return says('routed');
      }
    }
    class Decorated extends Routed {
      @handlesEvent(Opened) again(_: Opened) {
        return says('decorated');
      }
    }
    expect(ask(new Routed(), 'event', Opened)).toBe('routed');
    expect(ask(new Routed(), 'event', Closed)).toBe('base others');
    expect(ask(new Decorated(), 'event', Opened)).toBe('decorated');
  });
});

describe('routes()', () => {
  it('writes the table that decorators write', () => {
    class A extends Aggregate {
      static {
        routes(this).command(Open, 'open').applies(Opened, 'on').applies(Closed, 'on');
      }
      open(_: Open) {
        return 'x';
      }
      on(_: Opened | Closed) {}
    }
    class P extends Projection {
      static {
        routes(this).event(Opened, 'on').event(Moved, 'on').anyEvent('rest').query(Count, 'count');
      }
      on(_: Opened | Moved) {}
      rest(_: Event) {}
      count(_: Count) {
        return 1;
      }
    }
    class M {
      static {
        routes(this).intercepts(Command, 'all').intercepts(Query, 'all').intercepts(Open, 'open');
      }
      all(_message: unknown, next: () => Promise<unknown>) {
        return next();
      }
      open(_message: Open, next: () => Promise<string>) {
        return next();
      }
    }
    const labels = (type: Function, ...kinds: RouteKind[]): string[] =>
      kinds.flatMap((kind) =>
        [...handlerTable(type).entries(kind)].map(([key, { label }]) => `${(key as { name: string }).name} ${label}`),
      );
    expect(labels(A, 'command', 'applies')).toEqual(['Open A.open', 'Opened A.on', 'Closed A.on']);
    expect(labels(P, 'event', 'anyEvent', 'query')).toEqual([
      'Opened P.on',
      'Moved P.on',
      'any event P.rest',
      'Count P.count',
    ]);
    expect(labels(M, 'intercepts')).toEqual(['Command M.all', 'Query M.all', 'Open M.open']);
    expect(handlerTable(P).size).toBe(4);
  });

  it('names every method that does not exist', () => {
    class P extends EventProcessor {
      static {
        (routes(this) as unknown as { event(type: object, method: string): { anyEvent(method: string): void } })
          .event(Opened, 'onOpend')
          .anyEvent('rest');
      }
    }
    expect(() => handlerTable(P)).toThrow(
      new ConfigurationError(
        [
          'P routes routing.Opened to onOpend, which is no method of it: correct the name, or write the method.',
          'P routes any event to rest, which is no method of it: correct the name, or write the method.',
        ],
        'P cannot be used',
      ),
    );
  });

  it('refuses a message class that does not exist yet', () => {
    const Late = undefined as typeof Opened | undefined;
    expect(() => {
      class P extends EventProcessor {
        static {
          routes(this).event(Late as typeof Opened, 'on');
        }
        on(_: Opened) {}
      }
      return P;
    }).toThrow('routes(P) of on names a class that does not exist yet: two files probably import each other.');
  });
});

describe('a decorator', () => {
  const legacy = (decorate: Function): void => {
    class P {
      on() {}
    }
    decorate(P.prototype, 'on', Object.getOwnPropertyDescriptor(P.prototype, 'on'));
  };

  it.each([
    ['handlesEvent', handlesEvent(Opened)],
    ['handlesAnyEvent', handlesAnyEvent],
    ['appliesEvent', appliesEvent(Opened)],
    ['handlesCommand', handlesCommand(Open)],
    ['handlesQuery', handlesQuery(Count)],
    ['intercepts', intercepts(Open)],
  ])('%s called the legacy way throws and says what to do', (name, decorate) => {
    expect(() => legacy(decorate)).toThrow(
      `@${name} was called the way of "experimentalDecorators". Switch that option off, or write static { routes(this)… } in the class instead.`,
    );
  });

  it('stands before instance methods only', () => {
    const decorate = handlesEvent(Opened) as unknown as (method: Function, context: object) => void;
    const context = { kind: 'method', static: true, name: 'on', private: false, metadata: {} };
    expect(() => decorate(() => {}, context)).toThrow('@handlesEvent stands before on, which is no instance method.');
    expect(() => decorate(() => {}, { ...context, static: false, kind: 'getter' })).toThrow('no instance method');
  });

  it('refuses a class that does not exist yet', () => {
    const decorate = handlesEvent(undefined as unknown as typeof Opened) as unknown as Function;
    expect(() =>
      decorate(() => {}, { kind: 'method', static: false, name: 'on', private: false, metadata: {} }),
    ).toThrow('@handlesEvent of on names a class that does not exist yet: two files probably import each other.');
  });
});
