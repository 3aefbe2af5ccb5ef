import { inspect } from 'node:util';
import type { Finding } from '../errors/configuration-error.ts';
import { type Resolver, resolving } from './inject.ts';
import { type Provider, type Token, tokenName } from './token.ts';

/** What was said about a token. */
export interface Registration {
  readonly token: Token<unknown>;
  readonly provider: Provider<unknown>;
  readonly create: () => unknown;
  /** The one construction of a singleton; a transient has one for each `inject`. */
  single?: Construction;
}

/** Where constructions look for what they need, and leave what they found out. */
export interface Site {
  readonly registrations: ReadonlyMap<Token<unknown>, Registration>;
  readonly findings: Finding[];
  /** Factories under way. They never reject: a failure becomes a finding. */
  readonly pending: Promise<void>[];
}

// Thrown through constructors to leave them. The reason is noted where it arose, so nothing depends on who catches this.
const interruption = new Error('The container left this constructor at inject(…). Do not catch this.');

/** One thing being made, in as many attempts as that takes: an attempt ends where a dependency is not there yet. */
export class Construction implements Resolver {
  readonly registration: Registration;
  state: 'unmade' | 'pending' | 'made' | 'refused' = 'unmade';
  value: unknown = undefined;
  /** What the last attempt resolved. */
  dependencies: Construction[] = [];
  /** What the last attempt could not do without: a dependency, or itself if it was refused. */
  blocker: Construction | undefined = undefined;
  readonly #site: Site;
  #neededBy: Construction | undefined;
  /** Transients made for this one. A second attempt takes them instead of making more. */
  #transients: Construction[] | undefined = undefined;

  constructor(registration: Registration, site: Site, neededBy?: Construction) {
    this.registration = registration;
    this.#site = site;
    this.#neededBy = neededBy;
  }

  /** Makes it if all it needs is there; `state` tells. */
  attempt(neededBy?: Construction): void {
    if (this.state !== 'unmade') return;
    this.#begin(neededBy);
    let value: unknown;
    try {
      value = resolving(this, this.registration.create);
    } catch (error) {
      if (this.blocker === undefined) this.#refuse(`${this.#path()}: ${this.#maker()} threw ${describe(error)}`, error);
    }
    if (this.blocker !== undefined) {
      if (isThenable(value)) value.then(undefined, () => {}); // an async factory that was interrupted rejects
      if (this.blocker.state === 'refused') this.state = 'refused';
    } else if (isThenable(value)) {
      this.state = 'pending';
      const path = this.#path(); // now: who asks for it next may be somebody else
      this.#site.pending.push(
        Promise.resolve(value).then(
          (settled) => this.#accept(settled, path),
          (error: unknown) => this.#refuse(`${path}: ${this.#maker()} rejected with ${describe(error)}`, error),
        ),
      );
    } else {
      this.#accept(value, undefined);
    }
  }

  resolve<T>(token: Token<T>): T {
    const registration = this.#site.registrations.get(token);
    if (registration === undefined) {
      const name = tokenName(token);
      this.#refuse(`${this.#who()} needs ${name}, which nobody provides: .registerDependency(${name}, …)`);
      throw interruption;
    }
    const needed = registration.single ?? this.#transient(registration);
    this.dependencies.push(needed);
    if (needed.state === 'unmade') {
      this.#refuseCircle(registration);
      if (this.blocker === undefined) needed.attempt(this);
    }
    if (needed.state === 'made' && this.blocker === undefined) return needed.value as T;
    this.blocker ??= needed;
    throw interruption;
  }

  /** How messages call it. */
  get name(): string {
    const { provider, create, token } = this.registration;
    return (provider !== create && provider.name) || tokenName(token);
  }

  #begin(neededBy: Construction | undefined): void {
    this.#neededBy = neededBy;
    this.dependencies = [];
    this.blocker = undefined;
  }

  #transient(registration: Registration): Construction {
    this.#transients ??= [];
    const made = this.#transients.find((one) => one.registration === registration && !this.dependencies.includes(one));
    if (made !== undefined) return made;
    const fresh = new Construction(registration, this.#site, this);
    this.#transients.push(fresh);
    return fresh;
  }

  #accept(value: unknown, path: string | undefined): void {
    if (value === undefined) {
      this.#refuse(`${path ?? this.#path()}: ${this.#maker()} gave undefined; it has to return the dependency`);
      return;
    }
    this.state = 'made';
    this.value = value;
  }

  #refuse(message: string, cause?: unknown): void {
    this.state = 'refused';
    this.blocker = this;
    this.#site.findings.push({ message, cause });
  }

  /** Compares registrations: a transient that needs itself is a new construction each time. */
  #refuseCircle(registration: Registration): void {
    const line = this.#line();
    const start = line.findIndex((one) => one.registration === registration);
    const first = line[start];
    if (first === undefined) return;
    const circle = [...line.slice(start), first].map((one) => one.name).join(' → ');
    this.#refuse(
      `Circular dependency: ${circle}. Move what both need into a third, or pass one of them as an argument of the call that uses it`,
    );
  }

  /** From what was asked for first down to this. */
  #line(): Construction[] {
    const line: Construction[] = [this];
    for (let one = this.#neededBy; one !== undefined; one = one.#neededBy) line.unshift(one);
    return line;
  }

  #path(): string {
    return this.#line()
      .map((one) => one.name)
      .join(' → ');
  }

  #maker(): string {
    return this.registration.provider === this.registration.create ? 'its factory' : 'its constructor';
  }

  #who(): string {
    return this.registration.provider === this.registration.create ? `The factory of ${this.name}` : this.name;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function describe(error: unknown): string {
  return error instanceof Error ? String(error) : inspect(error);
}
