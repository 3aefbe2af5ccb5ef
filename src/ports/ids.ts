/** Makes ids for commands and events, for tests to replace. */
export abstract class IdGenerator {
  /** A new id, unique among all processes. */
  abstract next(): string;
}
