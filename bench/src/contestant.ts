/** One way to do a workload. */
export interface Contestant {
  readonly name: string;
  /** The hand-written code that the others are measured against. */
  readonly floor?: true;
  /** Sets up, untimed, one repetition. */
  prepare(): Promise<Repetition>;
}

/** One repetition, set up and ready to run once. */
export interface Repetition {
  /** The timed part. */
  run(): Promise<void>;
  /** Throws unless the work was really done. Untimed. */
  check(): Promise<void>;
  /** Untimed. */
  close(): Promise<void>;
}

/** What is measured. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Operations in one repetition, and what one is called. */
  readonly operations: number;
  readonly unit: string;
  /** What the ratio to the floor should be at least, by contestant. */
  readonly goals: Readonly<Record<string, number>>;
  readonly contestants: readonly Contestant[];
}

/** Fails a contestant whose result is wrong: speed without the work done is none. */
export function expectEqual<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) throw new Error(`${what} is ${String(actual)}, not ${String(expected)}`);
}
