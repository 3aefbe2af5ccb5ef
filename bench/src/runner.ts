import type { Contestant, Workload } from './contestant.ts';

/** What came out for one contestant. */
export interface Result {
  readonly contestant: string;
  /** Operations a second: the median. */
  readonly rate: number;
  /** To the floor: the median of the ratios of each repetition, with the smallest and the largest. */
  readonly ratio: readonly [least: number, median: number, most: number];
  readonly goal: number | undefined;
}

/**
 * Runs the contestants in turn, repetition by repetition, so that a machine whose speed drifts slows all of them. Ratios are
 * taken within a repetition, and of these the median. The first repetition warms up and does not count.
 */
export async function measure(workload: Workload, repetitions: number): Promise<readonly Result[]> {
  const { contestants, operations } = workload;
  const rates = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    // Every other repetition runs backwards, so that no contestant always inherits the same neighbour's garbage.
    for (const contestant of repetition % 2 === 0 ? contestants : contestants.toReversed()) {
      const rate = operations / (await time(contestant));
      if (repetition > 0) rates.get(contestant)?.push(rate);
    }
  }
  const floor = contestants.find((contestant) => contestant.floor);
  if (floor === undefined) throw new Error(`${workload.name} has no floor`);
  const base = rates.get(floor) ?? [];
  return contestants.map((contestant) => {
    const mine = rates.get(contestant) ?? [];
    const ratios = mine.map((rate, i) => rate / (base[i] ?? Number.NaN)).sort((a, b) => a - b);
    return {
      contestant: contestant.name,
      rate: median(mine.toSorted((a, b) => a - b)),
      ratio: [ratios[0] ?? Number.NaN, median(ratios), ratios.at(-1) ?? Number.NaN],
      goal: workload.goals[contestant.name],
    };
  });
}

/** Seconds of the timed part. */
async function time(contestant: Contestant): Promise<number> {
  const repetition = await contestant.prepare();
  try {
    globalThis.gc?.();
    const began = performance.now();
    await repetition.run();
    const seconds = (performance.now() - began) / 1000;
    await repetition.check();
    return seconds;
  } catch (cause) {
    throw new Error(`${contestant.name} failed`, { cause });
  } finally {
    await repetition.close();
  }
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
