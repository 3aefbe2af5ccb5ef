import type { Store, StoreCapabilities } from '../ports/store.ts';

/** What a case is run against: a store of its own, open and empty. */
export interface Subject {
  readonly store: Store;
  /** The same data as another process has it: an open store of its own. Asked for only where the store is `shared`. */
  readonly another: () => Promise<Store>;
}

/** A promise that every store keeps. */
export interface Case {
  /** Of docs/laws: its chapter and number, such as `log/1`. */
  readonly law: string;
  /** The promise, in the present tense. */
  readonly name: string;
  /** Left out for a store that does not claim all of these. */
  readonly needs?: readonly (keyof StoreCapabilities)[];
  run(subject: Subject): Promise<void>;
}
