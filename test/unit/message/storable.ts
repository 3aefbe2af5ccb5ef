import fc from 'fast-check';

/** Keys that have hurt somebody, and any others. Strings are of UTF-16 units at will, halves of pairs too. */
const text = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));
const key = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'toJSON',
    'then',
    'length',
    '',
    'a.b',
    'a[0]',
    '0',
    '17',
    '-1',
  ),
  fc.string({ maxLength: 6 }),
  text,
);

const leaf = fc.oneof(
  text,
  fc.string(),
  fc.constantFrom('\u0000', '\ud800', '__proto__', '2026-01-01T00:00:00.000Z', '12345678901234567890'),
  fc.double(),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, Number.MAX_SAFE_INTEGER, 5e-324),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array({ maxLength: 9 }),
);

/** An object with exactly these own properties, `__proto__` among them. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  }
  return object;
}

const { value, object } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaf,
    tie('object'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map(objectOf),
}));

/** Any value that can be stored. */
export const storable = value;

/** Any payload that can be stored. */
export const payload = object;

/** The payload of a message, apart from its class. */
export function contents(message: object): Record<string, unknown> {
  return objectOf(Object.entries(message));
}

/** Says all of a value that must survive: kinds, prototypes, order, -0, invalid dates. Equal texts, equal values. */
export function picture(of: unknown): string {
  if (typeof of === 'string') return JSON.stringify(of);
  if (typeof of === 'number') return Object.is(of, -0) ? '-0' : String(of);
  if (typeof of === 'bigint') return `${of}n`;
  if (typeof of !== 'object' || of === null) return String(of);
  if (Array.isArray(of)) return `[${of.map(picture).join()}]`;
  if (of instanceof Date) return `Date(${of.getTime()})`;
  if (of instanceof Map) return `Map{${[...of].map(([k, v]) => `${picture(k)}=>${picture(v)}`).join()}}`;
  if (of instanceof Set) return `Set{${[...of].map(picture).join()}}`;
  if (of instanceof Uint8Array) return `${of.constructor.name}<${of.join()}>`;
  const own = Object.keys(of).map(
    (name) => `${JSON.stringify(name)}:${picture((of as Record<string, unknown>)[name])}`,
  );
  return `${Object.getPrototypeOf(of) === Object.prototype ? '' : 'instance'}{${own.join()}}`;
}
