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
import { type AirportFigures, GetAirports } from '../messages/queries.js';

/** A read model: what each airport sees of the traffic. */
export class Airports extends Projection implements HasLifecycle {
  static processorName = 'flights.airports';
  // For a database that was made with --async and is now used without, or the other way round: build the read model again.
  static processorOptions: ProcessorOptions = { startFrom: 'beginning' };

  constructor(private readonly db = inject(SqliteSession)) {
    super();
  }

  onStartup(): void {
    this.db.run(`create table if not exists airports (
      code text primary key, departures integer not null default 0, arrivals integer not null default 0,
      delay_sum real not null default 0, worst_delay integer)`);
    // How often each delay occurred: what a median needs.
    this.db.run(`create table if not exists airport_delays (
      code text, delay integer, flights integer not null, primary key (code, delay)) without rowid`);
  }

  @handlesEvent(FlightDeparted)
  departed({ delay, destination }: FlightDeparted, { aggregateId: origin }: EventContext): void {
    this.db.run(
      `insert into airports (code, departures, delay_sum, worst_delay) values (@origin, 1, @delay, @delay)
       on conflict do update set departures = departures + 1, delay_sum = delay_sum + @delay,
         worst_delay = max(coalesce(worst_delay, @delay), @delay)`,
      { origin, delay },
    );
    this.db.run(
      `insert into airports (code, arrivals) values (?, 1) on conflict do update set arrivals = arrivals + 1`,
      [destination],
    );
    this.db.run(
      `insert into airport_delays (code, delay, flights) values (?, ?, 1)
       on conflict do update set flights = flights + 1`,
      [origin, delay],
    );
  }

  /** The median is the mean of the one or two delays in the middle of their running count. */
  @handlesQuery(GetAirports)
  airports({ busiest = -1 }: GetAirports): AirportFigures[] {
    return this.db.all<AirportFigures>(
      `with counted as (
         select code, delay, flights, sum(flights) over (partition by code order by delay) as running,
           sum(flights) over (partition by code) as total
         from airport_delays),
       medians as (
         select code, avg(delay) as median from counted
         where running >= (total + 1) / 2 and running - flights < (total + 2) / 2 group by code)
       select code, departures, arrivals, delay_sum / nullif(departures, 0) as meanDelay, median as medianDelay,
         worst_delay as worstDelay
       from airports left join medians using (code)
       order by departures + arrivals desc, code limit ?`,
      [busiest],
    );
  }

  override reset(): void {
    this.db.run('delete from airports');
    this.db.run('delete from airport_delays');
  }
}
