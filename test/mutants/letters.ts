import type { Letter, LetterChange, LetterQuery, SequenceClaim } from '../../src/ports/letter-store.ts';
import type { ProcessorCommit } from '../../src/ports/processor-store.ts';
import type { Unit } from '../../src/ports/unit-of-work.ts';
import type { MemoryStore } from '../../src/adapters/memory/store.ts';
import { type Mutant, replace } from './mutant.ts';

type Page = { readonly after?: Letter | undefined; readonly limit: number };

function everyChange({ processors }: MemoryStore, change: (change: LetterChange) => LetterChange): void {
  replace(processors, 'commit', (commit) => (changes: ProcessorCommit, unit?: Unit) => {
    const letters = (changes.letters ?? []).map(change);
    return commit({ ...changes, letters }, unit);
  });
}

function unchecked({ processors: { letters } }: MemoryStore): void {
  replace(letters, 'claim', () => (processor: string, sequenceKey: string) => ({
    processor,
    sequenceKey,
    token: 'any',
  }));
}

/** One for each case, by its name. */
export const letterMutants: Readonly<Record<string, Mutant>> = {
  'a letter comes back as it was parked': (store) =>
    everyChange(store, ({ kind, letter }) => ({
      kind,
      letter: { ...letter, position: BigInt(Number(letter.position)) },
    })),

  'letters come in the order of processor, position and cursor, whenever they were parked': ({
    processors: { letters },
  }) =>
    replace(
      letters,
      'page',
      (page) => (query: LetterQuery, options: Page) =>
        page(query, options).sort((a, b) => (a.processor + a.cursor < b.processor + b.cursor ? -1 : 1)),
    ),

  'pages of letters go on after a letter that is gone': ({ processors: { letters } }) =>
    replace(
      letters,
      'page',
      (page) =>
        (query: LetterQuery, { after, limit }: Page) =>
          page(query, { after: after && letters.find(after.id), limit }),
    ),

  'letters are found by processor, tenant, aggregate and sequence': ({ processors: { letters } }) =>
    replace(letters, 'page', (page) => (query: LetterQuery, options: Page) => {
      return page({ ...query, tenant: query.tenant || undefined }, options);
    }),

  'an event that is parked again has one letter, of which only the first time stays': ({ processors: { letters } }) =>
    replace(letters, 'find', (find) => (id: string) => {
      const letter = find(id);
      return letter && { ...letter, firstAt: letter.lastAt };
    }),

  'a follower is stored while its sequence has letters, once, and else named in the answer': (store) =>
    everyChange(store, ({ letter }) => ({ kind: 'park', letter })),

  'letters and checkpoint are stored together or not at all': ({ processors }) =>
    replace(processors, 'commit', (commit) => (changes: ProcessorCommit, unit?: Unit) => {
      const { lease, letters = [] } = changes;
      void commit({ lease, letters });
      return commit({ ...changes, letters: [] }, unit);
    }),

  'the sequences of a partition are those that have letters': ({ processors: { letters } }) =>
    replace(
      letters,
      'sequences',
      (sequences) => (processor: string) => [0, 1].flatMap((partition) => sequences(processor, partition)),
    ),

  'due is a sequence whose first letter is, unless it is claimed; those longest untouched come first': unchecked,

  'a sequence is retried by one at a time': unchecked,

  'a claim that has expired is free, and who had it settles nothing': ({ processors: { letters } }) => {
    let latest: SequenceClaim | undefined;
    replace(letters, 'claim', (claim) => async (processor: string, sequenceKey: string, milliseconds: number) => {
      latest = (await claim(processor, sequenceKey, milliseconds)) ?? latest;
      return latest;
    });
    replace(
      letters,
      'settle',
      (settle) => (_: SequenceClaim, id: string, letter: Letter | undefined, prolong: number, unit?: Unit) =>
        settle(latest!, id, letter, prolong, unit),
    );
  },

  'settling a letter prolongs the claim': ({ processors: { letters } }) =>
    replace(
      letters,
      'settle',
      (settle) => (claim: SequenceClaim, id: string, letter: Letter | undefined) => settle(claim, id, letter, 0),
    ),

  'settling removes a letter, or replaces what is known of it, with its unit or not at all': ({
    processors: { letters },
  }) =>
    replace(
      letters,
      'settle',
      (settle) => (claim: SequenceClaim, id: string, letter: Letter | undefined, prolong: number) => {
        void settle(claim, id, letter, prolong);
      },
    ),

  'when a letter is settled for good, the follower behind it is due at once': ({ processors: { letters } }) =>
    replace(letters, 'due', () => () => []),

  'a letter is discarded once; its followers wait, and a retry under way does not bring it back': ({
    processors: { letters },
  }) =>
    replace(letters, 'discard', (discard) => async (id: string, reason: string) => {
      await discard(id, reason);
      return true;
    }),
};
