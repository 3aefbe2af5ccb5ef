import { UsageError } from '../errors/usage-error.ts';
import { Copier } from './plain.ts';
import type { Traits, Unstorable } from './plain.ts';
import type { Class, MessageKind, MessageStatics } from './types.ts';

// Statics under symbols: a message class may have any other static of its own.
export const KIND: unique symbol = Symbol('kind');
export const FORMERLY: unique symbol = Symbol('formerly');
export const FACTORY: unique symbol = Symbol('factory');

/** The class of some message. */
export type MessageClass<T extends object = object> = Class<T> & MessageStatics<string, number>;

/**
 * What every message is made of: its payload's properties, copied and frozen, flat on the instance. What the walk over them
 * learnt stays in a private field, which neither a test's equality nor a printer nor JSON can see.
 */
export class Message {
  // Kept, since looking for it by the prototype costs more than everything else that reading a stored event does.
  readonly #type: MessageClass;
  readonly #traits: Traits;

  /**
   * @param payload a plain object, or an instance whose properties are the payload
   * @param guarded whether the class has accessors, which a property of the payload may share its name with
   */
  constructor(payload: object, guarded: boolean) {
    this.#type = new.target as unknown as MessageClass;
    const copier = new Copier(true);
    copier.copyInto(this, payload, guarded);
    this.#traits = copier.traits(payload);
    Object.freeze(this);
  }

  /** The class of a message; `undefined`: the value is none of ours. */
  static typeOf(value: object): MessageClass | undefined {
    return #type in value ? value.#type : undefined;
  }

  /** What is known of a message; `undefined`: the value is none of ours. */
  static traits(value: object): Traits | undefined {
    return #traits in value ? value.#traits : undefined;
  }
}

const ADVICE = "extend Event('…'), Command('…') or Query('…').";

/** The kind of message a class makes; `undefined`: it is no message class. */
export function kindOf(type: unknown): MessageKind | undefined {
  return typeof type === 'function' ? (type as { [KIND]?: MessageKind })[KIND] : undefined;
}

/** The durable name of a message class. @throws UsageError for any other class. */
export function nameOf(type: Class<object>): string {
  if (kindOf(type) === undefined) throw new UsageError(`${describeClass(type)} is no message class: ${ADVICE}`);
  return (type as MessageClass).messageName;
}

/** Names under which an event was stored before. */
export function formerNames(type: Class<object>): readonly string[] {
  return (type as { [FORMERLY]?: readonly string[] })[FORMERLY] ?? [];
}

/** The class of a message, whatever its payload is; `undefined`: the value is none of ours. */
export function typeOf(message: unknown): MessageClass | undefined {
  return typeof message === 'object' && message !== null ? Message.typeOf(message) : undefined;
}

/** The class of a message. @throws UsageError for anything else. */
export function messageClassOf(message: object): MessageClass {
  const type = typeOf(message);
  if (type === undefined)
    throw new UsageError(`${describeClass((message as object | null)?.constructor)} makes no messages: ${ADVICE}`);
  return type;
}

/** Why a message cannot be stored; `undefined`: it can. */
export function unstorable(message: object): Unstorable | undefined {
  return Message.traits(message)?.unstorable;
}

/**
 * True for a message that is frozen in every part, so that all may see the same instance. False where it holds a Date, Map,
 * Set or Uint8Array, and for anything else: readers must then get copies of their own.
 */
export function isShareable(message: object): boolean {
  return Message.traits(message)?.mutable === false;
}

function describeClass(type: unknown): string {
  return typeof type === 'function' && type.name !== '' ? `'${type.name}'` : 'An unnamed class';
}
