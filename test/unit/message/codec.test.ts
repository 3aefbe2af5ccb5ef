import { fork } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../../src/message/codec.ts';
import type { Encoded } from '../../../src/message/codec.ts';
import { Event } from '../../../src/message/define.ts';
import { objectOf, payload as anyPayload, picture, storable } from './storable.ts';

class AnyEvent extends Event('test.Any')<Record<string, unknown>> {}

const there = (value: unknown): Encoded => encode(value);
const back = ({ data, types }: Encoded): unknown => decode(data, types);

describe('encode and decode', () => {
  it('give back any storable value as it was', () => {
    fc.assert(
      fc.property(storable, (value) => {
        expect(picture(back(there(value)))).toBe(picture(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('give back the payload of any event as it was', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        expect(picture(back(encode(new AnyEvent(payload))))).toBe(picture(payload));
      }),
    );
  });

  it('write the same whether they are given an event or its payload', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        expect(encode(new AnyEvent(payload))).toEqual(encode(payload));
      }),
    );
  });

  it('write the same again, so that encoded values can be compared', () => {
    fc.assert(
      fc.property(storable, (value) => {
        expect(there(back(there(value)))).toEqual(there(value));
      }),
    );
  });

  it('give back what another process read and wrote', async () => {
    const child = fork(new URL('./echo.ts', import.meta.url), { execArgv: [] });
    const ended = once(child, 'exit');
    const echo = async (encoded: Encoded): Promise<Encoded> => {
      child.send(encoded);
      const [echoed] = (await Promise.race([once(child, 'message'), ended])) as [Encoded];
      return echoed;
    };
    try {
      await fc.assert(
        fc.asyncProperty(storable, async (value) => {
          const echoed = await echo(there(value));
          expect(echoed).toEqual(there(value));
          expect(picture(back(echoed))).toBe(picture(value));
        }),
        { numRuns: 300 },
      );
    } finally {
      child.disconnect();
    }
  });
});

describe('encoded data', () => {
  it('can be read in SQL: what a value would say there stands in for it', () => {
    const encoded = encode({
      amount: 1.5,
      at: new Date('2026-11-24T09:00:00.000Z'),
      never: new Date(Number.NaN),
      big: 12345678901234567890n,
      map: new Map([['a', 1]]),
      set: new Set(['x']),
      bytes: new Uint8Array([1, 2, 255]),
      none: undefined,
      zero: -0,
      nan: Number.NaN,
      nil: null,
    });
    expect(encoded.data).toBe(
      '{"amount":1.5,"at":"2026-11-24T09:00:00.000Z","never":null,"big":"12345678901234567890","map":[["a",1]],' +
        '"set":["x"],"bytes":"AQL/","none":null,"zero":0,"nan":null,"nil":null}',
    );
    expect(JSON.parse(encoded.types!)).toEqual({
      at: 'Date',
      never: 'Date',
      big: 'bigint',
      map: 'Map',
      set: 'Set',
      bytes: 'Uint8Array',
      none: 'undefined',
      zero: '-0',
      nan: 'NaN',
    });
  });

  it('has no types where JSON says it all', () => {
    const value = { a: [1, 'x', { b: null, c: true }], '': '\u0000\ud800' };
    expect(encode(value)).toEqual({ data: JSON.stringify(value), types: null });
    expect(encode(new AnyEvent(value))).toEqual({ data: JSON.stringify(value), types: null });
  });

  it('names the kinds of values by path, in maps and sets too', () => {
    const { data, types } = encode({ lines: [1, { price: 2n }], map: new Map([[{ k: 1n }, new Set([new Date(0)])]]) });
    expect(data).toBe('{"lines":[1,{"price":"2"}],"map":[[{"k":"1"},["1970-01-01T00:00:00.000Z"]]]}');
    expect(types).toBe(
      '{"lines":{"1":{"price":"bigint"}},"map":["Map",{"0":{"0":{"k":"bigint"},"1":["Set",{"0":"Date"}]}}]}',
    );
  });

  it('says undefined for a command without a result', () => {
    expect(encode(undefined)).toEqual({ data: 'null', types: '"undefined"' });
    expect(decode('null', '"undefined"')).toBeUndefined();
  });

  it('is the payload even of a class with a method `toJSON`', () => {
    class Shown extends Event('test.Shown')<{ a: number; at?: Date }> {
      toJSON(): string {
        return 'shown';
      }
    }
    expect(encode(new Shown({ a: 1 }))).toEqual({ data: '{"a":1}', types: null });
    expect(encode(new Shown({ a: 1, at: new Date(0) })).data).toBe('{"a":1,"at":"1970-01-01T00:00:00.000Z"}');
  });

  it('is fixed for ever: what older releases wrote is read', () => {
    const written =
      '{"at":"2026-11-24T09:00:00.000Z","far":"+275760-09-13T00:00:00.000Z","old":"-000001-01-01T00:00:00.000Z","bad":null,' +
      '"big":"-7","map":[["1","2020-01-01T00:00:00.000Z"]],"set":[null,0],"bytes":"AP8=","n":[null,null,null,0],"__proto__":"3"}';
    const types =
      '{"at":"Date","far":"Date","old":"Date","bad":"Date","big":"bigint","map":["Map",{"0":{"0":"bigint","1":"Date"}}],' +
      '"set":["Set",{"0":"undefined","1":"-0"}],"bytes":"Uint8Array",' +
      '"n":{"0":"NaN","1":"Infinity","2":"-Infinity","3":"-0"},"__proto__":"bigint"}';
    const value = objectOf([
      ['at', new Date('2026-11-24T09:00:00.000Z')],
      ['far', new Date(8.64e15)],
      ['old', new Date('-000001-01-01T00:00:00.000Z')],
      ['bad', new Date(Number.NaN)],
      ['big', -7n],
      ['map', new Map([[1n, new Date('2020-01-01T00:00:00.000Z')]])],
      ['set', new Set([undefined, 0])],
      ['bytes', new Uint8Array([0, 255])],
      ['n', [Number.NaN, Infinity, -Infinity, -0]],
      ['__proto__', 3n],
    ]);
    expect(picture(decode(written, types))).toBe(picture(value));
  });
});

describe('decode', () => {
  it('returns an object as it is', () => {
    const value = { at: new Date() };
    expect(decode(value, null)).toBe(value);
  });

  it('gives each reader a copy of its own', () => {
    const { data, types } = encode({ at: new Date(1), list: [1] });
    expect(decode(data, types)).not.toBe(decode(data, types));
  });

  it('refuses damaged data and types with an error that says what is wrong', () => {
    const damaged: readonly [string, string | null, RegExp][] = [
      ['{', null, /data are no JSON/],
      ['', null, /data are no JSON/],
      ['{}', '{', /types are no JSON/],
      ['{"a":1}', '{"b":"Date"}', /"b", which the data do not hold/],
      ['{"a":1}', '{"a":{"b":"Date"}}', /"b", which the data do not hold/],
      ['[]', '{"length":"bigint"}', /"length"/],
      ['{}', '{"constructor":"bigint"}', /"constructor"/],
      ['{}', '{"__proto__":{"a":"bigint"}}', /"__proto__"/],
      ['"x"', '{"0":"bigint"}', /"0"/],
      ['null', '{"0":"bigint"}', /"0"/],
      ['{"a":1}', '{"a":"Function"}', /'Function'/],
      ['{"a":1}', '{"a":"constructor"}', /'constructor'/],
      ['{"a":1}', '{"a":1}', /types hold 1/],
      ['{"a":1}', '{"a":null}', /types hold null/],
      ['{"a":1}', '{"a":[]}', /types hold \[\]/],
      ['{"a":1}', '{"a":["Map"]}', /types hold/],
      ['{"a":1}', '{"a":[1,{}]}', /types hold/],
      ['{"a":"1.5"}', '{"a":"bigint"}', /"1.5" does not stand for .* bigint/],
      ['{"a":"0x10"}', '{"a":"bigint"}', /bigint/],
      ['{"a":""}', '{"a":"bigint"}', /bigint/],
      ['{"a":1}', '{"a":"bigint"}', /bigint/],
      ['{"a":"tomorrow"}', '{"a":"Date"}', /Date/],
      ['{"a":0}', '{"a":"Date"}', /Date/],
      ['{"a":"*"}', '{"a":"Uint8Array"}', /Uint8Array/],
      ['{"a":"AAA"}', '{"a":"Uint8Array"}', /Uint8Array/],
      ['{"a":[]}', '{"a":"Uint8Array"}', /Uint8Array/],
      ['{"a":{}}', '{"a":"Map"}', /Map/],
      ['{"a":[1]}', '{"a":"Map"}', /Map/],
      ['{"a":[[1]]}', '{"a":"Map"}', /Map/],
      ['{"a":{"0":1}}', '{"a":"Set"}', /Set/],
      ['{"a":1}', '{"a":"undefined"}', /undefined/],
      ['{"a":0}', '{"a":"NaN"}', /NaN/],
      ['{"a":"Infinity"}', '{"a":"Infinity"}', /Infinity/],
      ['{"a":1}', '{"a":"-0"}', /-0/],
      ['[', '['.repeat(100_000), /no JSON/],
      [
        `${'[['.repeat(9_000)}1${']]'.repeat(9_000)}`,
        `${'{"0":'.repeat(18_000)}"bigint"${'}'.repeat(18_000)}`,
        /too deep/,
      ],
    ];
    for (const [data, types, message] of damaged) expect(() => decode(data, types)).toThrow(message);
  });

  it('throws nothing but errors, and pollutes nothing, whatever the types say', () => {
    fc.assert(
      fc.property(storable, storable, (value, other) => {
        const { data } = there(value);
        const { data: noise, types } = there(other);
        for (const text of [noise, types]) {
          try {
            decode(data, text);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect(error).not.toBeInstanceOf(RangeError);
            expect(error).not.toBeInstanceOf(TypeError);
          }
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});
