import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UnreadableEventError } from '../../../src/errors/unreadable-event-error.ts';
import { encode } from '../../../src/message/codec.ts';
import { Command, Event } from '../../../src/message/define.ts';
import { EventRegistry } from '../../../src/message/event-registry.ts';
import { nameOf } from '../../../src/message/message.ts';
import type { StoredEvent } from '../../../src/message/recorded-event.ts';
import type { Class, Event as AnyEvent } from '../../../src/message/types.ts';
import { upcast } from '../../../src/message/upcast.ts';
import type { Upcaster } from '../../../src/message/upcast.ts';
import { contents, payload as anyPayload, picture } from './storable.ts';

class Plain {
  amount = 1;
}
class Deposited extends Event('bank.Deposited', z.object({ amount: z.number().positive() })) {}
class Opened extends Event('bank.Opened', { formerly: ['bank.Created', 'bank.Made'] })<{ owner: string }> {}
class Withdrawn extends Event('bank.Withdrawn', { version: 3 })<{ cents: number; fee: number }> {}
class Noted extends Event('bank.Noted')<Record<string, unknown>> {}

const inCents = upcast(Withdrawn, { from: 1, up: (old: { amount: number }) => ({ cents: old.amount * 100 }) });
const withFee = upcast(Withdrawn, { from: 2, up: (old: { cents: number }) => ({ ...old, fee: 0 }) });

function stored(name: string, payload: unknown, more: Partial<StoredEvent> = {}): StoredEvent {
  return {
    position: 42n,
    stream: { tenant: 'acme', type: 'bank.Account', id: 'acc-1' },
    sequence: 7,
    eventId: 'e',
    name,
    version: 1,
    ...encode(payload),
    timestamp: new Date(0),
    correlationId: 'c',
    causationId: undefined,
    headers: {},
    ...more,
  };
}

function registryOf(classes: Class<AnyEvent>[], upcasters: Upcaster[] = []): EventRegistry {
  const built = EventRegistry.build(classes, upcasters);
  expect(built.findings).toEqual([]);
  return built.registry;
}

function unreadable(registry: EventRegistry, event: StoredEvent): UnreadableEventError {
  try {
    registry.read(event);
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableEventError);
    return error as UnreadableEventError;
  }
  throw new Error('it was read');
}

const registry = registryOf([Deposited, Opened, Withdrawn, Noted], [withFee, inCents]);

describe('a registry', () => {
  it('knows events of registered classes only', () => {
    class Twin extends Event('bank.Deposited')<{ amount: number }> {}
    class Special extends Deposited {}
    expect(registry.knows(new Deposited({ amount: 1 }))).toBe(true);
    expect(registry.knows(new Noted({ constructor: Twin }))).toBe(true);
    expect(registry.knows(new Twin({ amount: 1 }))).toBe(false);
    expect(registry.knows(new Special({ amount: 1 }))).toBe(false);
  });

  it('finds classes by all names they are stored under', () => {
    expect(registry.classOf('bank.Opened')).toBe(Opened);
    expect(registry.classOf('bank.Created')).toBe(Opened);
    expect(registry.classOf('constructor')).toBeUndefined();
    expect(registry.storedNames([Opened, Deposited, Opened])).toEqual([
      'bank.Opened',
      'bank.Created',
      'bank.Made',
      'bank.Deposited',
    ]);
  });

  it('takes a class as often as it comes up', () => {
    registryOf([Deposited, Deposited]);
  });
});

describe('reading a stored event', () => {
  it('gives an instance of its class, with its payload as it was', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const event = registry.read(stored('bank.Noted', new Noted(payload)));
        expect(event).toBeInstanceOf(Noted);
        expect(Object.isFrozen(event)).toBe(true);
        expect(picture(contents(event))).toBe(picture(payload));
      }),
    );
  });

  it('asks no schema: what was valid when stored stays readable', () => {
    expect(registry.read(stored('bank.Deposited', { amount: -5, extra: 1 }))).toEqual({ amount: -5, extra: 1 });
  });

  it('understands former names', () => {
    expect(registry.read(stored('bank.Made', { owner: 'Ada' }))).toStrictEqual(new Opened({ owner: 'Ada' }));
  });

  it('brings every old version up to date', () => {
    const today = new Withdrawn({ cents: 700, fee: 0 });
    expect(registry.read(stored('bank.Withdrawn', { amount: 7 }))).toStrictEqual(today);
    expect(registry.read(stored('bank.Withdrawn', { cents: 700 }, { version: 2 }))).toStrictEqual(today);
    expect(registry.read(stored('bank.Withdrawn', { cents: 700, fee: 0 }, { version: 3 }))).toStrictEqual(today);
  });

  it('runs each step of a chain once and in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), (version, choice) => {
        const type = Event('test.Chained', { version })<{ steps: number[] }>;
        const steps = Array.from({ length: version - 1 }, (_, i) => ({
          messageName: 'test.Chained',
          from: i + 1,
          up: (old: { steps: number[] }) => ({ steps: [...old.steps, i + 1] }),
        }));
        const from = (choice % version) + 1;
        const event = registryOf([type], steps.toReversed()).read(
          stored('test.Chained', { steps: [] }, { version: from }),
        );
        expect(event).toEqual({ steps: Array.from({ length: version - from }, (_, i) => from + i) });
      }),
    );
  });

  it('returns the instance that a store keeps', () => {
    const kept = new Noted({ a: [1, { b: 2n }] });
    expect(registry.read(stored('bank.Noted', {}, { data: kept, types: null }))).toBe(kept);
  });

  it('makes an instance of today from a plain object or an instance of another class', () => {
    class Before extends Event('bank.Created')<{ owner: string }> {}
    for (const data of [{ owner: 'Ada' }, new Before({ owner: 'Ada' })]) {
      expect(registry.read(stored('bank.Created', {}, { data, types: null }))).toStrictEqual(
        new Opened({ owner: 'Ada' }),
      );
    }
  });

  it('lets no upcaster change what a store keeps', () => {
    const rude = upcast(Withdrawn, {
      from: 1,
      up: (old: { list: number[] }) => {
        old.list.push(1);
        return old;
      },
    });
    const data = Object.freeze({ list: Object.freeze([0]) });
    const row = stored('bank.Withdrawn', {}, { data, types: null });
    expect(registryOf([Withdrawn], [rude, withFee]).read(row)).toEqual({ list: [0, 1], fee: 0 });
    expect(data).toEqual({ list: [0] });
  });
});

describe('an event that cannot be read', () => {
  it('is refused with position, stream, name and reason', () => {
    const error = unreadable(registry, stored('bank.Lost', {}));
    expect(error).toMatchObject({
      code: 'UNREADABLE_EVENT',
      name: 'UnreadableEventError',
      position: 42n,
      stream: { tenant: 'acme', type: 'bank.Account', id: 'acc-1' },
      eventName: 'bank.Lost',
      reason: 'unknown',
    });
    expect(error.message).toBe(
      "Event 'bank.Lost' of bank.Account 'acc-1' (tenant 'acme') at position 42 cannot be read: " +
        'no class of that name is registered. Apply or handle it, or register it with registerEvent.',
    );
  });

  it('may be of a version that only a newer build knows', () => {
    const error = unreadable(registry, stored('bank.Deposited', {}, { version: 2 }));
    expect(error.reason).toBe('newer-version');
    expect(error.message).toMatch(/version 2, this build knows 1\. Deploy/);
  });

  it('may be damaged', () => {
    const damaged: Partial<StoredEvent>[] = [
      { data: '{' },
      { data: '[]' },
      { data: 'null' },
      { data: '7' },
      { data: new Map() },
      { data: '[]', types: '"Map"' },
      { types: '{"a":"Date"}' },
      { types: 'null' },
      { version: 0 },
      { version: 0.5 },
      { version: Number.NaN },
    ];
    for (const more of damaged) {
      const error = unreadable(registry, stored('bank.Noted', {}, more));
      expect(error.reason).toBe('undecodable');
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  it('may have met an upcaster that fails', () => {
    const fails: readonly [() => unknown, RegExp][] = [
      [() => (undefined as unknown as { a: { b: 1 } }).a.b, /upcaster from version 1 failed: Cannot read/],
      [() => undefined, /from version 1 gave undefined/],
      [() => 'text', /from version 1 gave text/],
      [() => Promise.resolve({}), /from version 1 gave a promise/],
    ];
    for (const [up, message] of fails) {
      const failing = registryOf(
        [Withdrawn],
        [{ messageName: 'bank.Withdrawn', from: 1, up: up as () => object }, withFee],
      );
      const error = unreadable(failing, stored('bank.Withdrawn', { amount: 7 }));
      expect(error.reason).toBe('undecodable');
      expect(error.message).toMatch(message);
    }
    const odd = registryOf([Withdrawn], [inCents, { messageName: 'bank.Withdrawn', from: 2, up: () => new Map() }]);
    expect(unreadable(odd, stored('bank.Withdrawn', { amount: 7 })).reason).toBe('undecodable');
  });
});

function findings(classes: unknown[], upcasters: Upcaster[] = []): readonly string[] {
  return EventRegistry.build(classes as Class<AnyEvent>[], upcasters).findings;
}

function step(type: Class<AnyEvent>, from: number): Upcaster {
  return { messageName: nameOf(type), from, up: (old) => old };
}

describe('building a registry finds', () => {
  it('two classes of one stored name, former names included', () => {
    class Twin extends Event('bank.Deposited')<{ amount: number }> {}
    class Usurper extends Event('bank.Created') {}
    class Heir extends Event('bank.Other', { formerly: ['bank.Deposited'] }) {}
    expect(findings([Deposited, Twin])).toEqual([expect.stringMatching(/'bank\.Deposited'.*'Deposited' and 'Twin'/)]);
    expect(findings([Opened, Usurper])).toEqual([expect.stringMatching(/'bank\.Created'.*'Opened' and 'Usurper'/)]);
    expect(findings([Heir, Deposited])).toEqual([expect.stringMatching(/'bank\.Deposited'.*'Heir' and 'Deposited'/)]);
  });

  it('a step that is missing, even where no upcaster is registered at all', () => {
    expect(findings([Withdrawn], [inCents])).toEqual([expect.stringMatching(/'bank\.Withdrawn'.*from version 2/)]);
    expect(findings([Withdrawn], [withFee])).toEqual([expect.stringMatching(/'bank\.Withdrawn'.*from version 1/)]);
    expect(findings([Withdrawn])).toHaveLength(2);
  });

  it('two upcasters of one step', () => {
    expect(findings([Withdrawn], [inCents, withFee, step(Withdrawn, 2)])).toEqual([
      expect.stringMatching(/Two upcasters of 'bank\.Withdrawn' start from version 2/),
    ]);
    expect(findings([Withdrawn], [inCents, withFee, withFee])).toEqual([]);
  });

  it('a step that leads nowhere', () => {
    for (const from of [0, -1, 3, 4, 1.5]) {
      expect(findings([Withdrawn], [inCents, withFee, step(Withdrawn, from)])).toEqual([
        expect.stringMatching(new RegExp(`'bank\\.Withdrawn' starts from version ${from},`)),
      ]);
    }
  });

  it('an upcaster for a class that nobody registered', () => {
    expect(findings([Deposited], [inCents])).toEqual([expect.stringMatching(/upcaster for 'bank\.Withdrawn'/)]);
  });

  it('a class that is no event', () => {
    class Deposit extends Command('bank.Deposit') {}
    expect(findings([Deposit, Plain])).toEqual([
      expect.stringMatching(/'Deposit'.*is none/),
      expect.stringMatching(/'Plain'.*is none/),
    ]);
  });
});

describe('upcast', () => {
  it('names its event and the version it starts from', () => {
    expect(inCents).toMatchObject({ messageName: 'bank.Withdrawn', from: 1 });
    expect(() => upcast(Plain as never, { from: 1, up: () => ({}) })).toThrow(/'Plain' is no message class/);
  });
});
