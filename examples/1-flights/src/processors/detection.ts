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
import { CountAlerts } from '../messages/queries.js';

const LATE = 30;
const WINDOW = 120 * 60_000;
const EARLIER = 2;

/**
 * Alerts when delays pile up at an airport: a late departure, and at least two others that were recorded before it and whose
 * dates lie in the two hours up to its own.
 *
 * What it remembers commits with its checkpoint, so each event counts once, in the order of the airport's stream, whenever
 * the process dies.
 */
export class Detection extends Projection implements HasLifecycle {
  static processorName = 'flights.detection';
  static processorOptions: ProcessorOptions = { delivery: 'async' };

  constructor(private readonly db = inject(SqliteSession)) {
    super();
  }

  onStartup(): void {
    this.db.run(`create table if not exists late_departures (
      airport text, sequence integer, date integer, alert integer not null, primary key (airport, sequence))`);
    this.db.run('create index if not exists late_departures_by_date on late_departures (airport, date)');
  }

  @handlesEvent(FlightDeparted)
  departed({ date, delay }: FlightDeparted, { aggregateId: airport, sequence }: EventContext): void {
    if (delay <= LATE) return;
    const at = date.getTime();
    const earlier = this.db.all('select 1 from late_departures where airport = ? and date between ? and ? limit ?', [
      airport,
      at - WINDOW,
      at,
      EARLIER,
    ]);
    this.db.run('insert into late_departures (airport, sequence, date, alert) values (?, ?, ?, ?)', [
      airport,
      sequence,
      at,
      earlier.length === EARLIER ? 1 : 0,
    ]);
  }

  @handlesQuery(CountAlerts)
  alerts(): number {
    return (
      this.db.all<{ alerts: number }>('select count(*) as alerts from late_departures where alert')[0]?.alerts ?? 0
    );
  }

  override reset(): void {
    this.db.run('delete from late_departures');
  }
}
