import type { Application } from 'interlock-cqrs';
import type { Rejection } from '../import/read-flights.js';
import { GetAirports, GetRoutes, GetStatistics, SearchRoutes } from '../messages/queries.js';
import type { Totals } from '../report.js';
import { number } from './number.js';

export async function showAirports(app: Application): Promise<void> {
  const busiest = await app.query(new GetAirports({ busiest: 10 }));
  console.log('\nThe busiest airports, delays in minutes:');
  console.table(
    Object.fromEntries(
      busiest.map(({ code, departures, arrivals, meanDelay, medianDelay, worstDelay }) => [
        code,
        {
          departures,
          arrivals,
          mean: meanDelay === null ? null : Number(meanDelay.toFixed(1)),
          median: medianDelay,
          worst: worstDelay,
        },
      ]),
    ),
  );
}

export async function showTotals(app: Application, { flights, mails, alerts }: Totals): Promise<void> {
  const { miles, histogram } = await app.query(new GetStatistics());
  const routes = await app.query(new GetRoutes());
  console.log(`${number(flights)} flights over ${number(routes.length)} routes and ${number(miles)} miles.`);
  console.log(
    `${number(mails)} mails about flights more than three hours late, ${number(alerts)} alerts about airports.`,
  );
  console.log('Delays in minutes:');
  for (const { from, to, flights: some } of histogram) {
    const bar = '#'.repeat(Math.ceil((some / flights) * 50));
    console.log(`${String(from).padStart(6)} to ${String(to).padEnd(4)}${number(some).padStart(7)}  ${bar}`);
  }
  const [busiest] = await app.query(new GetAirports({ busiest: 1 }));
  if (busiest !== undefined) {
    const hits = await app.query(new SearchRoutes({ words: busiest.code }));
    console.log(`The search index finds ${number(hits.length)} routes for "${busiest.code}".`);
  }
}

export function showRejected(rejected: readonly Rejection[], total: number): void {
  if (rejected.length === 0) return;
  console.log(`\n${number(rejected.length)} of ${number(total)} records are no flights:`);
  for (const { index, reason } of rejected) console.log(`  [${index}] ${reason}`);
}
