import { ConfigurationError, type Finding } from '../errors/configuration-error.ts';
import type { Constructible } from '../message/types.ts';
import { Construction, type Registration, type Site } from './construction.ts';
import { isClass, type Provider, type Token, tokenName } from './token.ts';

/** `singleton` (the default): one instance for the application. `transient`: one for each `inject`. */
export type Lifetime = 'singleton' | 'transient';

/** Options of `registerDependency`. */
export interface DependencyOptions {
  readonly lifetime?: Lifetime;
}

/**
 * Builds what an application is made of. First everything is registered, then built once; afterwards it only hands out,
 * and constructs what is made per use.
 *
 * `inject` is synchronous, factories may be async. So `build` works in rounds: it tries everything; who needs what is still
 * under way is left and tried again when all factories of the round have settled. Independent factories run side by side.
 */
export class Container {
  readonly #registrations = new Map<Token<unknown>, Registration>();
  readonly #trials = new Map<Token<unknown>, Construction>();
  readonly #site: Site = this.#newSite();
  #built = false;

  /** Says where `token` comes from. A later registration of a token replaces an earlier one. */
  register<T>(
    token: Token<T>,
    provider: Provider<NoInfer<T>>,
    { lifetime = 'singleton' }: DependencyOptions = {},
  ): this {
    const registration = registrationOf(token, provider);
    if (lifetime === 'singleton') registration.single = new Construction(registration, this.#site);
    this.#registrations.set(token, registration);
    return this;
  }

  /** Whether somebody provides `token`. */
  has(token: Token<unknown>): boolean {
    return this.#registrations.has(token);
  }

  /**
   * Builds every singleton, and `roots`: classes of which the application has one instance each, reachable by `get` and
   * `inject` like all the others; a provider registered for a root is used. `perUse` are the classes that `construct` will
   * be asked for: each is constructed once, on trial, so that what they lack is found here and not by the first command.
   * A transient that nobody injects is not made.
   *
   * Nothing is thrown: all that is wrong is in the answer, one finding for each thing that cannot be built. What fails only
   * because a dependency failed adds none.
   */
  async build(
    roots: readonly Constructible<object>[] = [],
    perUse: readonly Constructible<object>[] = [],
  ): Promise<readonly Finding[]> {
    for (const root of roots)
      this.register<object>(root, (this.#registrations.get(root)?.provider as Provider<object>) ?? root);
    const { findings, pending } = this.#site;
    // Roots first: the path in a finding then begins with something that the reader wrote down.
    const singles = [...roots.map((root) => this.#registrations.get(root)), ...this.#registrations.values()];
    do {
      await Promise.all(pending.splice(0));
      for (const registration of singles) registration?.single?.attempt();
    } while (pending.length > 0);
    for (const type of perUse) {
      const trial = new Construction(registrationOf<object>(type, type), this.#newSite(findings));
      trial.attempt();
      if (trial.state === 'unmade') findings.push({ message: asynchronous(trial) });
      this.#trials.set(type, trial);
    }
    this.#built = true;
    return findings;
  }

  /** What stands behind `token`, once built; a transient is made anew. */
  get<T>(token: Token<T>): T {
    const registration = this.#registrations.get(token);
    if (registration === undefined) {
      const name = tokenName(token);
      throw new ConfigurationError([`Nobody provides ${name}: .registerDependency(${name}, …)`]);
    }
    return this.#now(registration) as T;
  }

  /** A new instance, now: for what is made per use, such as an aggregate per load. It is not kept, and has no lifecycle. */
  construct<T>(type: Constructible<T>): T {
    return this.#now({ token: type, provider: type, create: () => new type() }) as T;
  }

  /**
   * Every token that a construction resolved, directly or through any dependency: which processor uses a session, for example.
   * `of` is a token (a singleton, a root, a class made per use) or one of the `instances`.
   */
  resolved(of: object): ReadonlySet<Token<unknown>> {
    const token = of as Token<unknown>;
    const start = this.#registrations.get(token)?.single ?? this.#trials.get(token);
    const starts = start === undefined ? this.#constructions().filter(({ value }) => value === of) : [start];
    const below = inOrder(starts.flatMap(({ dependencies }) => dependencies));
    return new Set(below.map(({ registration }) => registration.token));
  }

  /**
   * Each instance that `build` made, once, a dependency before its dependents, otherwise in order of registration. The
   * transients among them are those that were injected into others.
   */
  instances(): readonly unknown[] {
    return [...new Set(this.#constructions().map(({ value }) => value))]; // two tokens may stand for the same object
  }

  #constructions(): readonly Construction[] {
    return inOrder([...this.#registrations.values()].flatMap(({ single }) => single ?? []));
  }

  #now(registration: Registration): unknown {
    if (!this.#built) throw new Error(`${tokenName(registration.token)} was asked for before the container was built`);
    const site = this.#newSite();
    const construction = registration.single ?? new Construction(registration, site);
    construction.attempt();
    if (construction.state === 'made') return construction.value;
    // What a constructor or factory threw is not about configuration any more.
    const thrown = site.findings.find((finding) => finding.cause !== undefined);
    if (thrown !== undefined) throw thrown.cause;
    throw new ConfigurationError(site.findings.length > 0 ? site.findings : [asynchronous(construction)]);
  }

  #newSite(findings: Finding[] = []): Site {
    return { registrations: this.#registrations, findings, pending: [] };
  }
}

function registrationOf<T>(token: Token<T>, provider: Provider<T>): Registration {
  return { token, provider, create: isClass(provider) ? () => new provider() : (provider as () => unknown) };
}

/** Constructions and all they resolved, each once, a dependency before its dependents. */
function inOrder(constructions: readonly Construction[], seen = new Set<Construction>()): readonly Construction[] {
  return constructions.flatMap((construction) => {
    if (seen.has(construction)) return [];
    seen.add(construction);
    return [...inOrder(construction.dependencies, seen), construction];
  });
}

function asynchronous(construction: Construction): string {
  let slow = construction;
  while (slow.state === 'unmade' && slow.blocker !== undefined) slow = slow.blocker;
  const { name } = slow;
  return slow === construction
    ? `${name} has an asynchronous factory and is transient, so it can be injected while the application is built, but not fetched later. Register it as a singleton`
    : `${construction.name} needs ${name}, which is transient and has an asynchronous factory, but is itself constructed again for every use, synchronously. Register ${name} as a singleton`;
}
