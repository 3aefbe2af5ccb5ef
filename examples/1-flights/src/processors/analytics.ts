import {
  type HasLifecycle,
  handlesEvent,
  handlesQuery,
  inject,
  type ProcessorOptions,
  Projection,
} from 'interlock-cqrs';
import { SqliteSession } from 'interlock-cqrs/sqlite';
import { FlightDeparted } from '../messages/events.js';
import { GetStatistics, type Statistics } from '../messages/queries.js';

/** Minutes. */
const BUCKET = 60;

/** Counts flights and miles, and how delays are distributed. */
export class Analytics extends Projection implements HasLifecycle {
  static processorName = 'flights.analytics';
  // Nobody waits for statistics: a departure shall neither be slower nor fail because of them.
  static processorOptions: ProcessorOptions = { delivery: 'async' };

  constructor(private readonly db = inject(SqliteSession)) {
    super();
  }

  onStartup(): void {
    this.db.run('create table if not exists delay_histogram (bucket integer primary key, flights integer, miles real)');
  }

  @handlesEvent(FlightDeparted)
  departed({ delay, distance }: FlightDeparted): void {
    this.db.run(
      `insert into delay_histogram (bucket, flights, miles) values (?, 1, ?)
       on conflict do update set flights = flights + 1, miles = miles + excluded.miles`,
      [Math.floor(delay / BUCKET) * BUCKET, distance],
    );
  }

  @handlesQuery(GetStatistics)
  statistics(): Statistics {
    const rows = this.db.all<{ bucket: number; flights: number; miles: number }>(
      'select bucket, flights, miles from delay_histogram order by bucket',
    );
    return {
      flights: rows.reduce((sum, { flights }) => sum + flights, 0),
      miles: rows.reduce((sum, { miles }) => sum + miles, 0),
      histogram: rows.map(({ bucket, flights }) => ({ from: bucket, to: bucket + BUCKET - 1, flights })),
    };
  }

  override reset(): void {
    this.db.run('delete from delay_histogram');
  }
}
