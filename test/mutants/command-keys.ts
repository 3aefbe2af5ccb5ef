import type { MemoryStore } from '../../src/adapters/memory/store.ts';
import type { CommandKey, Commit, CommitResult } from '../../src/ports/event-store.ts';
import type { Unit } from '../../src/ports/unit-of-work.ts';
import { type Mutant, replace } from './mutant.ts';

type AppendOne = (commit: Commit) => Promise<CommitResult>;

function eachCommit(
  store: MemoryStore,
  change: (commit: Commit, append: AppendOne, unit: Unit | undefined) => unknown,
): void {
  replace(store.events, 'append', (original) => (commits: readonly Commit[], unit?: Unit) => {
    const append = async (commit: Commit) => (await original([commit], unit))[0]!;
    return Promise.all(commits.map((commit) => change(commit, append, unit)));
  });
}

function withoutKey({ stream, expectedVersion, events }: Commit): Commit {
  return { stream, expectedVersion, events };
}

/** One for each case, by its name. */
export const commandKeyMutants: Readonly<Record<string, Mutant>> = {
  'a key is stored with its commit, and finds the first result': (store) =>
    replace(store.events, 'findKey', () => () => undefined),

  'a second commit under a key stores nothing and gets the first result, whatever its version': (store) =>
    eachCommit(store, (commit, append, unit) => {
      const { version } = store.events.load([{ stream: commit.stream, after: 0, limit: 1 }], unit)[0]!;
      return version === commit.expectedVersion ? append(commit) : { status: 'conflict', actual: version };
    }),

  'of many commits at once under one key one is stored, and all learn its result': (store) =>
    eachCommit(store, async (commit, append, unit) => {
      const first = commit.key && store.events.findKey(commit.key, unit);
      if (first !== undefined) return { status: 'duplicate-key', first };
      const result = await append(withoutKey(commit));
      await append({ ...commit, events: [] });
      return result;
    }),

  'keys of another tenant or command are other keys': (store) =>
    eachCommit(store, (commit, append) => {
      const key = commit.key && { ...commit.key, tenant: '', commandName: '' };
      return append(key === undefined ? commit : { ...commit, key });
    }),

  'a commit without events stores its key, at any version': (store) =>
    eachCommit(store, (commit, append) =>
      commit.events.length > 0 ? append(commit) : { status: 'stored', positions: [] },
    ),

  'a commit that is refused, or rolled back, leaves no key': (store) => {
    const known = new Map<string, NonNullable<Commit['key']>>();
    eachCommit(store, (commit, append) => {
      if (commit.key !== undefined) known.set(commit.key.key, commit.key);
      return append(commit);
    });
    replace(
      store.events,
      'findKey',
      () =>
        ({ key }: CommandKey) =>
          known.get(key),
    );
  },
};
