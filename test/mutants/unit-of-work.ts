import type { CommitResult, Commit, StreamPage, StreamSlice } from '../../src/ports/event-store.ts';
import type { Unit } from '../../src/ports/unit-of-work.ts';
import { everyUnit, type Mutant, openUnit, replace } from './mutant.ts';

type Work = (unit: Unit) => unknown;

/** One for each case, by its name. */
export const unitOfWorkMutants: Readonly<Record<string, Mutant>> = {
  'a unit answers with the result of its work, after everything it wrote is committed': ({ unitOfWork }) =>
    replace(unitOfWork, 'run', (run) => async (work: Work) => {
      await run(work as (unit: Unit) => Promise<unknown>);
    }),

  'a unit whose work throws leaves nothing, and rejects with that error': ({ unitOfWork }) =>
    replace(unitOfWork, 'run', (run) => async (work: Work) => {
      let failed: { error: unknown } | undefined;
      const result = await run(async (unit) => {
        try {
          return await work(unit);
        } catch (error) {
          failed = { error };
          return undefined;
        }
      });
      if (failed !== undefined) throw failed.error;
      return result;
    }),

  'work that is not asynchronous, or throws at once, is a unit too': ({ unitOfWork }) =>
    replace(
      unitOfWork,
      'run',
      (run) => (work: Work) => run((unit) => (work(unit) as Promise<unknown>).then((result) => result)),
    ),

  'a unit sees what it has written itself': (store) =>
    replace(store.events, 'load', (load) => (slices: readonly StreamSlice[]) => load(slices)),

  'what a unit writes about processors is seen by nobody else before its commit': (store) => {
    const open = openUnit(store);
    replace(store.processors, 'partitions', (partitions) => (processor: string) => partitions(processor, open()));
  },

  'a savepoint whose work throws undoes what was written in it, and nothing else': (store) =>
    everyUnit(store, (unit) => replace(unit, 'savepoint', () => async (work: () => unknown) => work())),

  'a savepoint answers with the result of its work and keeps what it wrote': (store) =>
    everyUnit(store, (unit) =>
      replace(unit, 'savepoint', (savepoint) => async (work: () => Promise<unknown>) => {
        await savepoint(work);
      }),
    ),

  'savepoints nest: one that is undone takes with it those that were kept inside': (store) =>
    everyUnit(store, (unit) => {
      let depth = 0;
      replace(unit, 'savepoint', (savepoint) => async (work: () => Promise<unknown>) => {
        depth += 1;
        try {
          return await (depth > 1 ? work() : savepoint(work));
        } finally {
          depth -= 1;
        }
      });
    }),

  'a unit that fails leaves alone those that ran beside it': ({ unitOfWork }) => {
    let broken: Error | undefined;
    replace(
      unitOfWork,
      'run',
      (run) => (work: Work) =>
        run(async (unit) => {
          if (broken !== undefined) throw broken;
          try {
            return await work(unit);
          } catch (error) {
            broken = error as Error;
            throw error;
          }
        }),
    );
  },

  'units that decide on one version lose none of their writes: the later ones learn of it': (store) => {
    const first = new Map<string, StreamPage>();
    replace(store.events, 'load', (load) => (slices: readonly StreamSlice[], unit?: Unit) => {
      if (unit === undefined) return load(slices);
      return slices.map((slice) => {
        const { id } = slice.stream;
        if (!first.has(id)) first.set(id, load([slice], unit)[0]!);
        return first.get(id);
      });
    });
    replace(store.events, 'append', (append) => async (commits: readonly Commit[], unit?: Unit) => {
      const results: readonly CommitResult[] = await append(commits, unit);
      return results.map((result) => (result.status === 'conflict' ? { status: 'stored', positions: [] } : result));
    });
  },

  'writes without a unit are stored whatever becomes of the unit that is open beside them': (store) => {
    const open = openUnit(store);
    replace(
      store.events,
      'append',
      (append) => (commits: readonly Commit[], unit?: Unit) => append(commits, unit ?? open()),
    );
  },

  'a unit that has ended is refused, and so nothing is written late': (store) =>
    replace(
      store.events,
      'append',
      (append) => (commits: readonly Commit[], unit?: Unit) => append(commits, unit?.open === true ? unit : undefined),
    ),
};
