import type { Application } from 'interlock-cqrs';
import { FlightRefused } from '../aggregates/flight-refused.js';
import { RecordDeparture } from '../messages/commands.js';
import type { FlightRecord, Rejection } from './read-flights.js';

/** Commands on their way at the same time, at most. What is ready together shares a commit, and so a wait for the disk. */
const LANES = 64;

/**
 * Dispatches every record as a command and resolves with those that the domain refused. Airports go side by side; the flights
 * of one airport go one after the other, in the order of the file.
 *
 * It may be run again, after a crash too: a flight that is recorded already is not recorded twice, because its command has an
 * idempotency key. Refused ones are stored nowhere, so they are asked about, and refused, again.
 * @throws whatever is no refusal. Flights behind the one that failed have then not been dispatched.
 */
export async function importFlights(
  app: Application,
  records: readonly FlightRecord[],
  options: { readonly signal: AbortSignal; readonly onProgress: (done: number) => void },
): Promise<Rejection[]> {
  const rejected: Rejection[] = [];
  let done = 0;
  const failure = new AbortController();
  const stop = AbortSignal.any([options.signal, failure.signal]);
  // The longest first, or they would be alone at the end.
  const airports = [...Map.groupBy(records, ({ origin }) => origin).values()].sort((a, b) => b.length - a.length);

  const lane = async (): Promise<void> => {
    for (let flights = airports.shift(); flights !== undefined; flights = airports.shift())
      for (const flight of flights) {
        stop.throwIfAborted();
        const reason = await record(app, flight);
        if (reason !== undefined) rejected.push({ index: flight.index, reason });
        done += 1;
        options.onProgress(done);
      }
  };
  await Promise.all(Array.from({ length: LANES }, () => lane().catch((error: unknown) => failure.abort(error))));
  stop.throwIfAborted();
  return rejected;
}

/** Why the flight was refused; `undefined` if it is recorded. */
async function record(app: Application, flight: FlightRecord): Promise<string | undefined> {
  const { key, origin, date, delay, distance, destination } = flight;
  try {
    await app.dispatch(new RecordDeparture({ aggregateId: origin, date, delay, distance, destination }), {
      idempotencyKey: key,
    });
    return undefined;
  } catch (error) {
    if (error instanceof FlightRefused) return error.message;
    throw error;
  }
}
