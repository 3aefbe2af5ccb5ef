/** Options of `registerAggregate`. */
export interface AggregateOptions {
  /**
   * Stores a snapshot each time the version passes a multiple of this; left out: never. Worth it for streams of hundreds of
   * events. Risk: none for results; a snapshot of another shape is ignored and the stream read from its beginning.
   */
  readonly snapshotEvery?: number;
  /**
   * Keeps aggregates in memory between commands: `true` for 10,000 of them, or how many. The stream's version is looked up on
   * every command all the same, so nothing is answered from an old state. Default: no cache. Risk: memory.
   */
  readonly cache?: boolean | { readonly max: number };
  /**
   * How often a command whose race was lost runs again on fresh state: `n` makes n + 1 runs, with a wait of 1 to 50 ms between.
   * Default 3.
   */
  readonly concurrencyRetries?: number;
}
