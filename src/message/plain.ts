import { types } from 'node:util';

/** Something that no store could give back as it was. */
export interface Unstorable {
  /** Such as `items[2].price`. Entries of a Map and members of a Set count by their order. `''`: the value itself. */
  readonly path: string;
  /** Such as `a function`, `an instance of Money`, `a cycle`. */
  readonly found: string;
}

/** What is known of a value after the walk that copied it. */
export interface Traits {
  /** It holds values that JSON lacks, so `JSON.stringify` does not tell all of it. */
  readonly special: boolean;
  /** It holds something that cannot be frozen: a Date, Map, Set, Uint8Array or what is not storable. No two readers may share it. */
  readonly mutable: boolean;
  readonly unstorable: Unstorable | undefined;
}

/**
 * Objects within objects, at most; what is nested deeper is not storable. It keeps every walk off the end of the stack, and
 * the JSON within what SQLite reads: 1,000 levels, of which a Map takes two.
 */
export const MAX_DEPTH = 256;

const PLAIN: Traits = { special: false, mutable: false, unstorable: undefined };
const SPECIAL: Traits = { special: true, mutable: false, unstorable: undefined };
const MUTABLE: Traits = { special: true, mutable: true, unstorable: undefined };

const { freeze, getOwnPropertySymbols, getPrototypeOf, keys } = Object;

/** What kind of storable object a value is; `undefined`: none. */
export type Shape = 'object' | 'array' | 'Date' | 'Map' | 'Set' | 'Uint8Array' | undefined;

/** Classes of the language count, those of the program do not: their instances would come back without their class. */
export function shapeOf(value: object): Shape {
  const prototype: object | null = getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return 'object';
  if (Array.isArray(value)) return prototype === Array.prototype || isBuiltIn(prototype) ? 'array' : undefined;
  if (types.isDate(value)) return isBuiltIn(prototype) ? 'Date' : undefined;
  if (types.isMap(value)) return isBuiltIn(prototype) ? 'Map' : undefined;
  if (types.isSet(value)) return isBuiltIn(prototype) ? 'Set' : undefined;
  if (types.isUint8Array(value)) return 'Uint8Array'; // a Buffer too: it comes back as its bytes
  // The `Object.prototype` of another realm, such as that of Node's own objects under a test runner that uses vm contexts.
  if (getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')) return 'object';
  return undefined;
}

/** Whether this prototype hangs directly below some realm's `Object.prototype`, unlike that of a subclass. */
function isBuiltIn(prototype: object): boolean {
  const parent: object | null = getPrototypeOf(prototype);
  return parent !== null && getPrototypeOf(parent) === null;
}

/** True for numbers that JSON would lose: NaN, ±Infinity, -0. */
export function isSpecialNumber(value: number): boolean {
  return value === 0 ? 1 / value < 0 : value - value !== 0;
}

/** Makes a property the object's own, whatever accessors its prototypes have under that name. Slow: 150 ns. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
}

/** Sets a property of a plain object or array; `__proto__` stays data. */
export function put(target: object, key: string, value: unknown): void {
  if (key === '__proto__') define(target, key, value);
  else (target as Record<string, unknown>)[key] = value;
}

// What a walk met.
const HAS_SPECIAL = 1;
const HAS_MUTABLE = 2;
const HAS_UNSTORABLE = 4;
const TOO_DEEP = 8;

/**
 * Copies plain data all the way down and learns its traits on the way. One walk for both, because construction of messages
 * is the hottest path there is. What cannot be stored is kept as it is.
 */
export class Copier {
  readonly frozen: boolean;
  met = 0;

  /** @param frozen whether copied objects and arrays are frozen */
  constructor(frozen: boolean) {
    this.frozen = frozen;
  }

  /** What was learnt; `original` is walked again, for the path, where it cannot be stored. */
  traits(original: unknown): Traits {
    if (this.met === 0) return PLAIN;
    if (this.met & HAS_UNSTORABLE) return { special: true, mutable: true, unstorable: locate(original) };
    return this.met & HAS_MUTABLE ? MUTABLE : SPECIAL;
  }

  /** A copy of any value; `depth` counts the objects around it. */
  copy(value: unknown, depth = 0): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (isSpecialNumber(value)) this.met |= HAS_SPECIAL;
        return value;
      case 'object':
        return value === null ? null : this.#copyObject(value, depth + 1);
      case 'undefined':
      case 'bigint':
        this.met |= HAS_SPECIAL;
        return value;
      default:
        this.met |= HAS_UNSTORABLE;
        return value;
    }
  }

  /**
   * Copies own enumerable properties.
   * @param guarded whether a prototype of `target` may have accessors, which a plain assignment would call
   */
  copyInto(target: object, source: object, guarded: boolean, depth = 0): void {
    const names = keys(source);
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const value = this.copy((source as Record<string, unknown>)[name], depth);
      if (guarded) define(target, name, value);
      else put(target, name, value);
    }
    if (getOwnPropertySymbols(source).length > 0) this.met |= HAS_UNSTORABLE;
  }

  #copyObject(value: object, depth: number): unknown {
    // After the first place that is too deep nothing more is copied: a cycle with two ways round would take for ever.
    if (depth > MAX_DEPTH || this.met & TOO_DEEP) {
      this.met |= TOO_DEEP | HAS_UNSTORABLE;
      return value;
    }
    switch (shapeOf(value)) {
      case 'object': {
        const copy = {};
        this.copyInto(copy, value, false, depth);
        return this.frozen ? freeze(copy) : copy;
      }
      case 'array': {
        const items = value as unknown[];
        const copy: unknown[] = [];
        for (let i = 0; i < items.length; i++) {
          const item = items[i];
          if (item === undefined && !(i in items)) {
            // At once: a sparse array may be four thousand million long.
            this.met |= HAS_UNSTORABLE;
            return value;
          }
          copy.push(this.copy(item, depth));
        }
        return this.frozen ? freeze(copy) : copy;
      }
      case 'Date':
        this.met |= HAS_SPECIAL | HAS_MUTABLE;
        return new Date(value as Date);
      case 'Uint8Array':
        this.met |= HAS_SPECIAL | HAS_MUTABLE;
        return new Uint8Array(value as Uint8Array);
      case 'Map': {
        this.met |= HAS_SPECIAL | HAS_MUTABLE;
        const copy = new Map<unknown, unknown>();
        for (const [key, item] of value as Map<unknown, unknown>)
          copy.set(this.copy(key, depth), this.copy(item, depth));
        return copy;
      }
      case 'Set': {
        this.met |= HAS_SPECIAL | HAS_MUTABLE;
        const copy = new Set<unknown>();
        for (const item of value as Set<unknown>) copy.add(this.copy(item, depth));
        return copy;
      }
      default:
        this.met |= HAS_UNSTORABLE;
        return value;
    }
  }
}

/** A fresh deep copy of a payload, a message's too, as a plain object that its reader may change. */
export function copyOf(payload: object): Record<string, unknown> {
  const copy = {};
  new Copier(false).copyInto(copy, payload, false);
  return copy;
}

/** Finds the first unstorable value. Slow and thorough; runs only where the fast walk met one. */
function locate(original: unknown): Unstorable {
  const above = new Set<object>();
  return search(original, '') ?? { path: '', found: 'a value that changes while it is read' };

  function search(value: unknown, path: string): Unstorable | undefined {
    if (typeof value === 'function') return { path, found: 'a function' };
    if (typeof value === 'symbol') return { path, found: 'a symbol' };
    if (typeof value !== 'object' || value === null) return undefined;
    if (above.has(value)) return { path, found: 'a cycle' };
    if (above.size > MAX_DEPTH) return { path, found: `nesting of more than ${MAX_DEPTH} levels` };
    above.add(value);
    const found = within(value, path);
    above.delete(value);
    return found;
  }

  function within(value: object, path: string): Unstorable | undefined {
    switch (shapeOf(value)) {
      case 'object': {
        for (const key of keys(value)) {
          const found = search((value as Record<string, unknown>)[key], member(path, key));
          if (found !== undefined) return found;
        }
        return getOwnPropertySymbols(value).length > 0 ? { path, found: 'a symbol key' } : undefined;
      }
      case 'array': {
        const items = value as unknown[];
        for (let i = 0; i < items.length; i++) {
          if (!(i in items)) return { path: `${path}[${i}]`, found: 'a hole in a sparse array' };
          const found = search(items[i], `${path}[${i}]`);
          if (found !== undefined) return found;
        }
        return undefined;
      }
      case 'Map': {
        let i = 0;
        for (const [key, item] of value as Map<unknown, unknown>) {
          const found = search(key, `${path}[${i}].key`) ?? search(item, `${path}[${i}].value`);
          if (found !== undefined) return found;
          i++;
        }
        return undefined;
      }
      case 'Set': {
        let i = 0;
        for (const item of value as Set<unknown>) {
          const found = search(item, `${path}[${i++}]`);
          if (found !== undefined) return found;
        }
        return undefined;
      }
      case undefined:
        return { path, found: instanceName(value) };
      default:
        return undefined;
    }
  }
}

function member(path: string, key: string): string {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** Names a value for a message: `a Map`, `an instance of Money`. */
export function instanceName(value: object): string {
  const { constructor } = getPrototypeOf(value) ?? {};
  const name: unknown = typeof constructor === 'function' ? constructor.name : '';
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an instance of an unnamed class';
}
