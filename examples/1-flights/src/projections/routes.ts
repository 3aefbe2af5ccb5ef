import {
  type EventContext,
  type HasLifecycle,
  handlesEvent,
  handlesQuery,
  inject,
  type ProcessorOptions,
  Projection,
} from 'interlock-cqrs';
import { SqliteSession } from 'interlock-cqrs/sqlite';
import { FlightDeparted } from '../messages/events.js';
import { GetRoutes, type RouteFigures } from '../messages/queries.js';

/** A read model: how many flights each route has, and how late they leave. */
export class Routes extends Projection implements HasLifecycle {
  static processorName = 'flights.routes';
  static processorOptions: ProcessorOptions = { startFrom: 'beginning' }; // as in airports.ts

  constructor(private readonly db = inject(SqliteSession)) {
    super();
  }

  onStartup(): void {
    this.db.run(`create table if not exists routes (
      origin text, destination text, flights integer not null, delay_sum real not null,
      primary key (origin, destination)) without rowid`);
  }

  @handlesEvent(FlightDeparted)
  departed({ delay, destination }: FlightDeparted, { aggregateId: origin }: EventContext): void {
    this.db.run(
      `insert into routes (origin, destination, flights, delay_sum) values (?, ?, 1, ?)
       on conflict do update set flights = flights + 1, delay_sum = delay_sum + excluded.delay_sum`,
      [origin, destination, delay],
    );
  }

  @handlesQuery(GetRoutes)
  routes(): RouteFigures[] {
    return this.db.all<RouteFigures>(
      'select origin, destination, flights, delay_sum / flights as meanDelay from routes order by origin, destination',
    );
  }

  override reset(): void {
    this.db.run('delete from routes');
  }
}
