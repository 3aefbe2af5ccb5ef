import { writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Application } from 'interlock-cqrs';
import { buildApplication } from './application.js';
import { dataset } from './import/dataset.js';
import { importFlights } from './import/import-flights.js';
import { alone } from './import/import-lock.js';
import { type FlightFile, readFlights } from './import/read-flights.js';
import { Airports } from './projections/airports.js';
import { Routes } from './projections/routes.js';
import { type ReadModels, type Report, readModels, totals } from './report.js';
import { number } from './terminal/number.js';
import { Progress } from './terminal/progress.js';
import { showAirports, showRejected, showTotals } from './terminal/show.js';

export interface RunOptions {
  readonly file: string | undefined;
  readonly db: string;
  readonly outbox: string;
  readonly asynchronous: boolean;
  readonly report: string | undefined;
  /** Aborts to interrupt the run; another run then goes on where it was. */
  readonly signal: AbortSignal;
}

/**
 * Imports the flights, waits for the processors, shows what they found, and builds the read models again.
 * @returns whether all of the file could be used, and everything was in order.
 */
export async function run(options: RunOptions): Promise<boolean> {
  const file = await readFlights(options.file ?? dataset('flights-20k.json'));
  return alone(options.db, () => importAndReport(file, options));
}

async function importAndReport({ records, broken, total }: FlightFile, options: RunOptions): Promise<boolean> {
  const { signal } = options;
  await using app = await buildApplication(options);
  await app.startup();

  // These follow the log while the import writes it, and go on where an earlier run left them.
  const processors = await app.runEventProcessors();
  const progress = new Progress('Importing');
  const onProgress = (done: number): void => progress.reached(done, records.length);
  const refused = await importFlights(app, records, { signal, onProgress });
  await processors.caughtUp({ signal });
  await processors.stop();

  const rejected = [...broken, ...refused].sort((a, b) => a.index - b.index);
  const found = { ...(await totals(app)), rejected, ...(await readModels(app)) };
  await showAirports(app);
  await showTotals(app, found);
  showRejected(rejected, total);

  const before = { airports: found.airports, routes: found.routes };
  const rebuiltEqual = isDeepStrictEqual(await rebuild(app, signal), before);
  console.log(`The read models, built again from the log, are ${rebuiltEqual ? 'equal' : 'NOT equal'}.`);
  const failed = await app.deadLetters.count();
  if (failed > 0) console.error(`${number(failed)} events could not be processed and wait as dead letters.`);

  const report: Report = { ...found, rebuiltEqual };
  if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(report, undefined, 2)}\n`);
  return broken.length === 0 && rebuiltEqual && failed === 0;
}

/** Empties the read models, lets them handle all events again, and asks them again. */
async function rebuild(app: Application, signal: AbortSignal): Promise<ReadModels> {
  for (const projection of [Airports, Routes]) {
    const progress = new Progress(`Rebuilding ${projection.name.toLowerCase()}`);
    await app.processors.replay(projection, {
      signal,
      onProgress: ({ position, head }) => progress.reached(Number(position), Number(head)),
    });
  }
  return readModels(app);
}
