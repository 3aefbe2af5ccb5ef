/** What caused what, from the root command down: for depth and its error. */
export interface Trail {
  readonly name: string;
  readonly parent: Trail | undefined;
  /** Commands in it. */
  readonly depth: number;
}
