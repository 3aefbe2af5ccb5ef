import type { MemoryStore } from '../../src/adapters/memory/store.ts';
import type { Unit } from '../../src/ports/unit-of-work.ts';

/** Breaks one promise of a store. */
export type Mutant = (store: MemoryStore) => void;

type Method = (...args: never[]) => unknown;

/** Puts something else in the place of a method; `original` is what was there. */
export function replace<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K] & Method) => unknown,
): void {
  const original = target[name] as T[K] & Method;
  Object.defineProperty(target, name, { value: make(original.bind(target) as T[K] & Method) });
}

/** Answers with the unit that is open now, for mutants that mix up who sees what. */
export function openUnit({ unitOfWork }: MemoryStore): () => Unit | undefined {
  let open: Unit | undefined;
  replace(unitOfWork, 'run', (run) => (work: (unit: Unit) => unknown) => {
    return run((unit) => {
      open = unit;
      return work(unit);
    });
  });
  return () => (open?.open === true ? open : undefined);
}

/** Changes every unit before its work gets it. */
export function everyUnit({ unitOfWork }: MemoryStore, change: (unit: Unit) => void): void {
  replace(unitOfWork, 'run', (run) => (work: (unit: Unit) => unknown) => {
    return run((unit) => {
      change(unit);
      return work(unit);
    });
  });
}
