/** What caused what, from the root command down: for depth and its error. */
export interface Trail {
  readonly name: string;
  readonly parent: Trail | undefined;
  /** Commands in it. */
  readonly depth: number;
}

/** The names in a trail, from the root on. */
export function chainOf(trail: Trail): string[] {
  const names: string[] = [];
  for (let step: Trail | undefined = trail; step !== undefined; step = step.parent) names.unshift(step.name);
  return names;
}
