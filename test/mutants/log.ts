import type { NewEvent, StoredEvent, StreamId } from '../../src/message/recorded-event.ts';
import type { Commit, CommitResult, LogPage, LogSlice, StreamPage, StreamSlice } from '../../src/ports/event-store.ts';
import type { Unit } from '../../src/ports/unit-of-work.ts';
import { type Mutant, openUnit, replace } from './mutant.ts';
import type { MemoryStore } from '../../src/adapters/memory/store.ts';

type Append = (commits: readonly Commit[], unit?: Unit) => readonly CommitResult[] | Promise<readonly CommitResult[]>;

/** One commit at a time, each by itself. */
function eachCommit(
  store: MemoryStore,
  change: (commit: Commit, append: (commit: Commit) => Promise<CommitResult>) => unknown,
): void {
  replace(store.events, 'append', (original) => async (commits: readonly Commit[], unit?: Unit) => {
    const append = async (commit: Commit) => (await original([commit], unit))[0]!;
    const results: unknown[] = [];
    for (const commit of commits) results.push(await change(commit, append));
    return results;
  });
}

function everyPage(store: MemoryStore, change: (page: LogPage, slice: LogSlice) => LogPage): void {
  replace(store.events, 'read', (read) => (slice: LogSlice, unit?: Unit) => change(read(slice, unit), slice));
}

function everyEvent(commit: Commit, change: (event: NewEvent) => NewEvent): Commit {
  return { ...commit, events: commit.events.map(change) };
}

function joined({ tenant, type, id }: StreamId): StreamId {
  return { tenant: '', type: '', id: `${tenant}\0${type}\0${id}` };
}

function asJson(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** One for each case, by its name. */
export const logMutants: Readonly<Record<string, Mutant>> = {
  'a commit is stored whole: sequences from 1 without a hole, positions ascending': (store) =>
    eachCommit(store, (commit, append) => append({ ...commit, events: commit.events.slice(0, 1) })),

  'a commit that decided on another version stores nothing and learns the actual one': (store) =>
    eachCommit(store, async (commit, append) => {
      const result = await append(commit);
      return result.status === 'conflict' ? append({ ...commit, expectedVersion: result.actual }) : result;
    }),

  'of commits that are given together, one that fails leaves the others alone': (store) =>
    replace(store.events, 'append', (append: Append) => async (commits: readonly Commit[], unit?: Unit) => {
      const results: CommitResult[] = [];
      for (const commit of commits) {
        const last = results.at(-1);
        results.push(last === undefined || last.status === 'stored' ? (await append([commit], unit))[0]! : last);
      }
      return results;
    }),

  'of many commits that decided on one version exactly one is stored': (store) =>
    eachCommit(store, async (commit, append) => {
      const result = await append(commit);
      return result.status === 'conflict' ? { status: 'stored', positions: [] } : result;
    }),

  'a stream is tenant, type and id: what differs in one of them is another stream': (store) => {
    eachCommit(store, (commit, append) => append({ ...commit, stream: joined(commit.stream) }));
    replace(
      store.events,
      'load',
      (load) => (slices: readonly StreamSlice[], unit?: Unit) =>
        load(
          slices.map((slice) => ({ ...slice, stream: joined(slice.stream) })),
          unit,
        ),
    );
  },

  'an event id is stored once, whatever the stream, and nothing of the commit that repeats it': (store) =>
    eachCommit(store, async (commit, append) => {
      const result = await append(commit);
      if (result.status !== 'duplicate-event') return result;
      return append(everyEvent(commit, (event) => ({ ...event, eventId: `${event.eventId}-again` })));
    }),

  'an event id that a commit has twice is refused': (store) =>
    eachCommit(store, (commit, append) => append({ ...commit, events: [...new Set(commit.events)] })),

  'an event id that was refused, or rolled back, is free': (store) => {
    const seen = new Set<string>();
    eachCommit(store, (commit, append) => {
      for (const { eventId } of commit.events) {
        if (seen.has(eventId)) return { status: 'duplicate-event', eventId };
        seen.add(eventId);
      }
      return append(commit);
    });
  },

  'who follows the log while many write sees every event once, in order': (store) =>
    everyPage(store, (page) => ({ ...page, position: page.head })),

  'what a unit has appended is seen by nobody else before its commit': (store) => {
    const open = openUnit(store);
    replace(store.events, 'load', (load) => (slices: readonly StreamSlice[]) => load(slices, open()));
  },

  'what was rolled back stalls nobody, and nothing is missing after it': (store) => {
    let lost = 0n;
    replace(store.unitOfWork, 'run', (run) => async (work: (unit: Unit) => Promise<unknown>) => {
      try {
        return await run(work);
      } catch (error) {
        lost += 3n;
        throw error;
      }
    });
    everyPage(store, (page) => ({ ...page, head: page.head + lost }));
  },

  'within every stream the order of the log is that of the sequence': (store) =>
    everyPage(store, (page) => ({ ...page, events: page.events.toReversed() })),

  'a page carries its own position, also where nothing in it was asked for': (store) =>
    everyPage(store, (page, { after }) => ({ ...page, position: page.events.at(-1)?.position ?? after })),

  'a page at the head is empty and stays where it is': (store) =>
    everyPage(store, (page) => ({ ...page, position: page.events.length === 0 ? page.position + 1n : page.position })),

  'the position at a time lies before the first event from then on': (store) =>
    replace(store.events, 'positionAt', (positionAt) => (time: Date) => positionAt(new Date(time.getTime() + 1))),

  'the log is read in pages that hold no more than their limit, and together all of it': (store) =>
    replace(
      store.events,
      'read',
      (read) => (slice: LogSlice, unit?: Unit) => read({ ...slice, limit: 1_000_000 }, unit),
    ),

  'a stream is read in pages that say its version': (store) =>
    replace(store.events, 'load', (load) => (slices: readonly StreamSlice[], unit?: Unit) => {
      const pages: readonly StreamPage[] = load(slices, unit);
      return pages.map((page) => ({ ...page, version: page.events.at(-1)?.sequence ?? page.version }));
    }),

  'a stream that is read without when and why tells all the same what happened': (store) =>
    replace(store.events, 'load', (load) => (slices: readonly StreamSlice[], unit?: Unit) => {
      const pages: readonly StreamPage[] = load(slices, unit);
      return pages.map((page, i) => {
        return slices[i]!.bare === true
          ? { ...page, events: page.events.map((one) => ({ ...one, data: '{}' })) }
          : page;
      });
    }),

  'a reader that stands beyond the head can tell': (store) =>
    everyPage(store, (page, { after }) => ({ ...page, head: after > page.head ? after : page.head })),

  'what was appended comes back as it was, all of it': (store) =>
    eachCommit(store, (commit, append) => {
      return append(
        everyEvent(commit, (event) => ({ ...event, payload: JSON.parse(JSON.stringify(event.payload, asJson)) })),
      );
    }),

  '__proto__ is data like any other': (store) =>
    eachCommit(store, (commit, append) => {
      return append(everyEvent(commit, (event) => ({ ...event, payload: Object.assign({}, event.payload) })));
    }),

  'nobody can change what another one reads': (store) => {
    const shared = new Map<bigint, StoredEvent>();
    const share = (event: StoredEvent) => {
      if (!shared.has(event.position)) shared.set(event.position, event);
      return shared.get(event.position)!;
    };
    everyPage(store, (page) => ({ ...page, events: page.events.map(share) }));
    replace(
      store.events,
      'load',
      (load) => (slices: readonly StreamSlice[], unit?: Unit) =>
        load(slices, unit).map((page) => ({ ...page, events: page.events.map(share) })),
    );
  },

  'the names that were ever stored are known, and no others': (store) => {
    const events = new Set<string>();
    const aggregates = new Set<string>();
    eachCommit(store, (commit, append) => {
      aggregates.add(commit.stream.type);
      for (const { name } of commit.events) events.add(name);
      return append(commit);
    });
    replace(store.events, 'names', () => () => ({ events: [...events], aggregates: [...aggregates] }));
  },

  // The other process has a store of its own, as it has in every mutant: nothing needs to be broken.
  'another process sees what is stored, and loses the race that this one won': () => undefined,
};
