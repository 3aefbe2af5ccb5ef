import type { Awaitable, Class, Constructible } from '../message/types.ts';

declare const provided: unique symbol;

/** A token for what has no class of its own: configuration, an interface, a function. Made by `token`. */
export interface ValueToken<T> {
  readonly tokenName: string;
  readonly [provided]: T;
}

/** What a dependency is asked for by: a class, abstract ones too, or what `token` returns. */
export type Token<T> = Class<T> | ValueToken<T>;

/** Where a dependency comes from: a class whose constructor can do without arguments, or a factory, which may be async. */
export type Provider<T> = Constructible<T> | (() => Awaitable<T>);

/** A token for a `T`. The name is for messages only: two calls with the same name give two different tokens. */
export function token<T>(name: string): ValueToken<T> {
  return Object.freeze({ tokenName: name }) as ValueToken<T>;
}

/** How messages call a token. */
export function tokenName(of: Token<unknown>): string {
  return typeof of === 'function' ? of.name || 'an anonymous class' : of.tokenName;
}

/** A class is told from a factory by its `prototype`: that of a function can be replaced, and an arrow function has none. */
export function isClass(value: unknown): value is Constructible<object> {
  return typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}
