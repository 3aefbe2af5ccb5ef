import { UnreadableEventError } from '../errors/unreadable-event-error.ts';
import { decode } from './codec.ts';
import { revive } from './define.ts';
import { formerNames, kindOf, Message, nameOf, typeOf } from './message.ts';
import type { MessageClass } from './message.ts';
import { copyOf } from './plain.ts';
import type { StoredEvent } from './recorded-event.ts';
import type { Class, Event } from './types.ts';
import type { Upcaster } from './upcast.ts';

interface Entry {
  readonly type: MessageClass<Event>;
  /** `steps[v - 1]` takes version `v`. */
  readonly steps: readonly Upcaster[];
}

/** The events that an application knows, by all names they are stored under, and the way from stored rows to instances. */
export class EventRegistry {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #types: ReadonlySet<Class<object>>;
  #lastName: string | undefined;
  #lastEntry: Entry | undefined;

  private constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
    this.#types = new Set([...entries.values()].map(({ type }) => type));
  }

  /**
   * Registers event classes, each as often as it comes up, and upcasters. `findings` tells, with advice, what makes some stored
   * event unreadable or ambiguous; the registry is to be used only where there are none.
   */
  static build(
    classes: Iterable<Class<Event>>,
    upcasters: Iterable<Upcaster>,
  ): { readonly registry: EventRegistry; readonly findings: readonly string[] } {
    const findings: string[] = [];
    const chains = chainsOf(upcasters, findings);
    const entries = new Map<string, Entry>();
    const current = new Set<string>();
    for (const type of new Set(classes)) {
      if (kindOf(type) !== 'event') {
        findings.push(`'${type.name}' is registered as an event and is none: extend Event('…').`);
        continue;
      }
      const entry: Entry = {
        type: type as MessageClass<Event>,
        steps: chainOf(type as MessageClass<Event>, chains, findings),
      };
      current.add(entry.type.messageName);
      for (const name of [entry.type.messageName, ...formerNames(type)]) {
        const other = entries.get(name);
        if (other === undefined) entries.set(name, entry);
        else
          findings.push(
            `The event name '${name}' belongs to both '${other.type.name}' and '${type.name}': give one of them a name of its own.`,
          );
      }
    }
    for (const name of chains.keys()) {
      if (!current.has(name))
        findings.push(
          `There is an upcaster for '${name}', an event that nobody applies or handles: register its class, or drop the upcaster.`,
        );
    }
    return { registry: new EventRegistry(entries), findings };
  }

  /** Whether this very class of event is registered, so that what is stored of it can be read back. */
  knows(event: Event): boolean {
    const type = typeOf(event);
    return type !== undefined && this.#types.has(type);
  }

  /** All names that events of these classes may be stored under. */
  storedNames(classes: Iterable<Class<Event>>): readonly string[] {
    return [...new Set([...classes].flatMap((type) => [nameOf(type), ...formerNames(type)]))];
  }

  /** The class for a stored name, former ones included. */
  classOf(storedName: string): MessageClass<Event> | undefined {
    return this.#entries.get(storedName)?.type;
  }

  /**
   * The instance that a stored event stands for today: decoded, brought up to the current version, frozen. An instance kept
   * by a store in memory is returned itself where nobody could change it.
   * @throws UnreadableEventError
   */
  read(stored: StoredEvent): Event {
    // Events of one name often come in a row.
    const entry = stored.name === this.#lastName ? this.#lastEntry : this.#entries.get(stored.name);
    if (entry === undefined) {
      throw new UnreadableEventError(
        stored,
        'unknown',
        'no class of that name is registered. Apply or handle it, or register it with registerEvent.',
      );
    }
    this.#lastName = stored.name;
    this.#lastEntry = entry;
    const { type, steps } = entry;
    const { data, version } = stored;
    if (version === type.version && typeof data === 'object' && Message.typeOf(data) === type) {
      return data as Event;
    }
    if (version > type.version) {
      throw new UnreadableEventError(
        stored,
        'newer-version',
        `it is of version ${version}, this build knows ${type.version}. Deploy the newer build here.`,
      );
    }
    try {
      return revive(type, upToDate(stored, type.version, steps));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UnreadableEventError(stored, 'undecodable', `${why}. Mend the row or the upcaster.`, { cause });
    }
  }
}

function upToDate({ data, types, version }: StoredEvent, current: number, steps: readonly Upcaster[]): object {
  if (!Number.isSafeInteger(version) || version < 1) throw new Error(`there is no version ${version}`);
  // An upcaster may change what it is given, so it gets no object that a store keeps.
  let payload = typeof data === 'object' && version < current ? copyOf(data) : decode(data, types);
  for (let from = version; from < current; from++) payload = step(steps[from - 1], from, payload);
  return payload as object;
}

function step(upcaster: Upcaster | undefined, from: number, payload: unknown): object {
  if (upcaster === undefined) throw new Error(`there is no upcaster from version ${from}`);
  let next: unknown;
  try {
    next = upcaster.up(payload as never);
  } catch (cause) {
    throw new Error(
      `the upcaster from version ${from} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  if (typeof next !== 'object' || next === null || next instanceof Promise) {
    throw new Error(
      `the upcaster from version ${from} gave ${next instanceof Promise ? 'a promise' : String(next)} instead of a payload`,
    );
  }
  return next;
}

/** The steps of each event by their version, today's names as keys. */
function chainsOf(
  upcasters: Iterable<Upcaster>,
  findings: string[],
): ReadonlyMap<string, ReadonlyMap<number, Upcaster>> {
  const chains = new Map<string, Map<number, Upcaster>>();
  for (const upcaster of new Set(upcasters)) {
    const { messageName, from } = upcaster;
    const chain = chains.get(messageName) ?? new Map<number, Upcaster>();
    chains.set(messageName, chain);
    if (chain.has(from)) findings.push(`Two upcasters of '${messageName}' start from version ${from}: drop one.`);
    else chain.set(from, upcaster);
  }
  return chains;
}

/** The chain that leads to a class's version; a row without one could not be read. */
function chainOf(
  { messageName, version }: MessageClass<Event>,
  chains: ReturnType<typeof chainsOf>,
  findings: string[],
): readonly Upcaster[] {
  const chain = new Map(chains.get(messageName));
  const steps: Upcaster[] = [];
  for (let from = 1; from < version; from++) {
    const upcaster = chain.get(from);
    if (upcaster === undefined)
      findings.push(
        `'${messageName}' is of version ${version}, but no upcaster starts from version ${from}: write upcast(…, { from: ${from}, … }) and register it.`,
      );
    else steps.push(upcaster);
    chain.delete(from);
  }
  for (const from of chain.keys()) {
    findings.push(
      `An upcaster of '${messageName}' starts from version ${from}, but the event is of version ${version}: steps start from 1 to ${version - 1}. Raise the version of the class or drop the upcaster.`,
    );
  }
  return steps;
}
