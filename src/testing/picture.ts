import { types } from 'node:util';
import { UsageError } from '../errors/usage-error.ts';

/** Objects in one picture, at most: a subject that holds more holds something that is no state, such as a connection. */
const MOST = 250_000;

/** A value: one without parts, or the node of an object. */
type Part = { readonly value: unknown } | Node;

/** An object as it was when the picture was taken. */
interface Node {
  readonly prototype: object | null;
  /** What an object holds outside of its properties, such as the time of a Date. */
  text: string | undefined;
  readonly properties: Map<PropertyKey, Part>;
  /** Of a Map or Set, in order; members of a Set have no value. */
  readonly entries: { readonly key: unknown; readonly keyPart: Part; readonly value: Part }[];
}

/** Where two pictures differ. */
export interface Difference {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

const ABSENT: Part = { value: undefined };
const ACCESSOR: Part = { value: Symbol('accessor') };

/**
 * What can be reached from a value through own properties and the entries of maps and sets, as it was at one moment. Neither
 * `#private` fields, nor closures, nor what is behind accessors and proxies can be seen. Functions are told apart by their source.
 */
export class Picture {
  readonly #root: Part;

  /** @throws UsageError for more than anybody's state. */
  constructor(subject: unknown) {
    const nodes = new Map<object, Node>();
    // A list of its own, not recursion: a long linked list would end the stack.
    const open: (readonly [object, Node])[] = [];
    const part = (value: unknown): Part => {
      if (typeof value !== 'object' || value === null) return { value };
      const known = nodes.get(value);
      if (known !== undefined) return known;
      const node: Node = {
        prototype: Object.getPrototypeOf(value),
        text: undefined,
        properties: new Map(),
        entries: [],
      };
      nodes.set(value, node);
      if (nodes.size > MOST)
        throw new UsageError(
          `More than ${MOST} objects can be reached from the subject, too many to compare. Give it fakes instead of what it uses in production.`,
        );
      open.push([value, node]);
      return node;
    };
    this.#root = part(subject);
    for (let next = open.pop(); next !== undefined; next = open.pop()) fill(...next, part);
  }

  /** The first place where `after` is not as this picture; `undefined`: they are equal. */
  difference(after: Picture, name: string): Difference | undefined {
    const compared = new Map<Part, Set<Part>>();
    const open: [Part, Part, string][] = [[this.#root, after.#root, name]];
    for (let at = 0; at < open.length; at++) {
      const [a, b, path] = open[at]!;
      if ('value' in a || 'value' in b) {
        if ('value' in a && 'value' in b && same(a.value, b.value)) continue;
        return { path, before: show(a), after: show(b) };
      }
      const partners = compared.get(a) ?? new Set();
      if (partners.has(b)) continue;
      compared.set(a, partners.add(b));
      if (a.prototype !== b.prototype || a.text !== b.text) return { path, before: show(a), after: show(b) };
      for (const key of new Set([...a.properties.keys(), ...b.properties.keys()])) {
        const place = `${path}${step(key)}`;
        const [before, now] = [a.properties.get(key), b.properties.get(key)];
        if (before === undefined || now === undefined)
          return { path: place, before: before ? show(before) : 'absent', after: now ? show(now) : 'absent' };
        open.push([before, now, place]);
      }
      const found = compareEntries(a, b, path, open);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function fill(object: object, node: Node, part: (value: unknown) => Part): void {
  node.text = textOf(object);
  const indexed = ArrayBuffer.isView(object); // its bytes are the text already
  for (const key of Reflect.ownKeys(object)) {
    if (indexed && typeof key === 'string' && /^\d+$/.test(key)) continue;
    // The same error thrown twice has two stacks.
    if (key === 'stack' && types.isNativeError(object)) continue;
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property !== undefined) node.properties.set(key, 'value' in property ? part(property.value) : ACCESSOR);
  }
  if (types.isMap(object))
    for (const [key, value] of object) node.entries.push({ key, keyPart: part(key), value: part(value) });
  else if (types.isSet(object)) for (const key of object) node.entries.push({ key, keyPart: part(key), value: ABSENT });
}

function textOf(object: object): string | undefined {
  if (types.isDate(object)) return String(object.getTime());
  if (types.isRegExp(object)) return String(object);
  if (types.isBoxedPrimitive(object)) return String(object.valueOf());
  if (types.isAnyArrayBuffer(object)) return Buffer.from(object).toString('latin1');
  if (ArrayBuffer.isView(object))
    return Buffer.from(object.buffer, object.byteOffset, object.byteLength).toString('latin1');
  return undefined;
}

/** Entries of one key belong together; keys that are objects, and have no equality, go by their order. */
function compareEntries(a: Node, b: Node, path: string, open: [Part, Part, string][]): Difference | undefined {
  const before = split(a);
  const after = split(b);
  for (const key of new Set([...before.simple.keys(), ...after.simple.keys()])) {
    const [x, y] = [before.simple.get(key), after.simple.get(key)];
    const place = `${path}.get(${show({ value: key })})`;
    if (x === undefined || y === undefined)
      return { path: place, before: x ? show(x) : 'absent', after: y ? show(y) : 'absent' };
    open.push([x, y, place]);
  }
  if (before.objects.length !== after.objects.length)
    return { path: `${path}.size`, before: String(a.entries.length), after: String(b.entries.length) };
  for (const [i, entry] of before.objects.entries()) {
    open.push([entry.keyPart, after.objects[i]!.keyPart, `${path}.key(${i})`]);
    open.push([entry.value, after.objects[i]!.value, `${path}.value(${i})`]);
  }
  return undefined;
}

function split({ entries }: Node): { simple: Map<unknown, Part>; objects: Node['entries'] } {
  const isObject = ({ key }: Node['entries'][number]): boolean => typeof key === 'object' && key !== null;
  return {
    simple: new Map(entries.filter((entry) => !isObject(entry)).map(({ key, value }) => [key, value])),
    objects: entries.filter(isObject),
  };
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (typeof a === 'function' && typeof b === 'function' && String(a) === String(b));
}

/** How a path goes on. */
function step(key: PropertyKey): string {
  if (typeof key === 'symbol') return `[${String(key)}]`;
  const name = String(key);
  if (/^\d+$/.test(name)) return `[${name}]`;
  return /^[\p{L}_$][\p{L}\d_$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function show(part: Part): string {
  if (part === ACCESSOR) return 'an accessor';
  if (!('value' in part)) {
    const name = part.prototype?.constructor?.name ?? 'object';
    const size = part.entries.length || part.properties.size;
    return part.text !== undefined && part.text.length < 40 ? `${name} ${part.text}` : `${name} of ${size}`;
  }
  const { value } = part;
  if (typeof value === 'string') return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}
