import { NotStorableError } from '../errors/not-storable-error.ts';
import { Message, nameOf, messageClassOf } from './message.ts';
import { Copier, MAX_DEPTH, isSpecialNumber, put, shapeOf } from './plain.ts';

/**
 * A value as text. `data` is JSON that can be read in SQL; where JSON lacks a value, a stand-in: a Date is its ISO string (an
 * invalid one null), a bigint its decimal digits, a Map an array of pairs, a Set an array, a Uint8Array its base64, -0 is 0,
 * and undefined, NaN and ±Infinity are null.
 *
 * `types` is JSON that says what the stand-ins stand for, or null where there are none. It is a tree in the shape of the data:
 * `{"at":"Date","lines":{"0":{"price":"bigint"}}}`. A Map or Set that holds stand-ins itself is a pair of its name and the
 * tree of its array: `["Map",{"0":{"1":"Date"}}]`.
 */
export interface Encoded {
  readonly data: string;
  readonly types: string | null;
}

type Type = string | Tree | readonly [string, Tree];
interface Tree {
  [key: string]: Type;
}

/**
 * Turns a message's payload, or any plain value, into text.
 * @param what names the value in the error; a message is named after its class
 * @throws NotStorableError for what would not come back as it is
 */
export function encode(value: unknown, what = 'the value'): Encoded {
  const traits = typeof value === 'object' && value !== null ? Message.traits(value) : undefined;
  if (traits === undefined) return encodePlain(value, what);
  const message = value as object & { toJSON?: unknown };
  if (traits.unstorable !== undefined) refuse(nameOf(messageClassOf(message)), traits.unstorable);
  // A class may have a method `toJSON`, which is for others to call.
  if (!traits.special && typeof message.toJSON !== 'function') return { data: JSON.stringify(message), types: null };
  return lower(message);
}

function encodePlain(value: unknown, what: string): Encoded {
  const copier = new Copier(false);
  const copy = copier.copy(value);
  const traits = copier.traits(value);
  if (traits.unstorable !== undefined) refuse(what, traits.unstorable);
  return traits.special ? lower(copy) : { data: JSON.stringify(copy), types: null };
}

function refuse(what: string, { path, found }: { path: string; found: string }): never {
  throw new NotStorableError(what, path, found);
}

function lower(value: unknown): Encoded {
  const lowering = new Lowering();
  const data = JSON.stringify(lowering.standIn(value));
  return { data, types: lowering.type === undefined ? null : JSON.stringify(lowering.type) };
}

/** Replaces what JSON lacks. The value is known to be storable. */
class Lowering {
  /** What the last value given to `standIn` is, where JSON does not say it. */
  type: Type | undefined;

  standIn(value: unknown): unknown {
    this.type = undefined;
    switch (typeof value) {
      case 'number':
        if (!isSpecialNumber(value)) return value;
        this.type = value === 0 ? '-0' : String(value);
        return value === 0 ? 0 : null;
      case 'bigint':
        this.type = 'bigint';
        return String(value);
      case 'undefined':
        this.type = 'undefined';
        return null;
      case 'object':
        return value === null ? null : this.#object(value);
      default:
        return value;
    }
  }

  #object(value: object): unknown {
    switch (shapeOf(value)) {
      case 'array':
        return this.#items(value as unknown[], undefined);
      case 'Date': {
        const time = (value as Date).getTime();
        this.type = 'Date';
        return Number.isNaN(time) ? null : (value as Date).toISOString();
      }
      case 'Uint8Array':
        this.type = 'Uint8Array';
        return Buffer.from(value as Uint8Array).toString('base64');
      case 'Map':
        return this.#items([...(value as Map<unknown, unknown>)], 'Map');
      case 'Set':
        return this.#items([...(value as Set<unknown>)], 'Set');
      default:
        return this.#properties(value as Record<string, unknown>);
    }
  }

  #properties(value: Record<string, unknown>): object {
    const copy: Record<string, unknown> = {};
    let tree: Tree | undefined;
    for (const key of Object.keys(value)) {
      const item = this.standIn(value[key]);
      put(copy, key, item);
      if (this.type !== undefined) put((tree ??= {}), key, this.type);
    }
    this.type = tree;
    return copy;
  }

  #items(items: readonly unknown[], name: string | undefined): unknown[] {
    let tree: Tree | undefined;
    const copy = items.map((item, index) => {
      const standIn = this.standIn(item);
      if (this.type !== undefined) (tree ??= {})[index] = this.type;
      return standIn;
    });
    this.type = name === undefined ? tree : tree === undefined ? name : [name, tree];
    return copy;
  }
}

/**
 * The value that `encode` was given. An object given as `data`, by a store that keeps objects, is returned as it is. What is
 * stored decides about values of the kinds named above and about nothing else: it names no class and runs no code.
 * @throws Error if data or types are damaged
 */
export function decode(data: string | object, types: string | null): unknown {
  if (typeof data !== 'string') return data;
  const value = parse(data, 'data');
  return types === null ? value : restore(value, parse(types, 'types'), 0);
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`the ${what} are no JSON`, { cause });
  }
}

function restore(value: unknown, type: unknown, depth: number): unknown {
  if (depth > 2 * MAX_DEPTH) throw new Error('the types are nested too deep');
  if (typeof type === 'string') return restoreOne(value, type);
  if (typeof type !== 'object' || type === null) throw new Error(`the types hold ${JSON.stringify(type)}`);
  if (!Array.isArray(type)) return restoreWithin(value, type, depth);
  const [name, tree] = type as unknown[];
  if (typeof name !== 'string' || typeof tree !== 'object' || tree === null)
    throw new Error(`the types hold ${JSON.stringify(type)}`);
  return restoreOne(restoreWithin(value, tree, depth), name);
}

/** Restores what lies within an object or array, in place: it was parsed just now and is nobody else's. */
function restoreWithin(value: unknown, tree: object, depth: number): unknown {
  for (const key of Object.keys(tree)) {
    if (typeof value !== 'object' || value === null || !Object.prototype.propertyIsEnumerable.call(value, key)) {
      throw new Error(`the types name ${JSON.stringify(key)}, which the data do not hold`);
    }
    (value as Record<string, unknown>)[key] = restore((value as Tree)[key], (tree as Tree)[key], depth + 1);
  }
  return value;
}

function restoreOne(value: unknown, type: string): unknown {
  switch (type) {
    case 'undefined':
      if (value === null) return undefined;
      break;
    case 'NaN':
    case 'Infinity':
    case '-Infinity':
      if (value === null) return Number(type);
      break;
    case '-0':
      if (value === 0) return -0;
      break;
    case 'bigint':
      if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
      break;
    case 'Date': {
      if (value === null) return new Date(Number.NaN);
      const date = typeof value === 'string' ? new Date(value) : undefined;
      if (date !== undefined && !Number.isNaN(date.getTime())) return date;
      break;
    }
    case 'Uint8Array':
      if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0) {
        return new Uint8Array(Buffer.from(value, 'base64'));
      }
      break;
    case 'Map':
      if (Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.length === 2))
        return new Map(value as [unknown, unknown][]);
      break;
    case 'Set':
      if (Array.isArray(value)) return new Set(value);
      break;
    default:
      throw new Error(`the types name a kind of value that does not exist here: '${type}'`);
  }
  throw new Error(`${preview(value)} does not stand for a value of kind ${type}`);
}

function preview(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
