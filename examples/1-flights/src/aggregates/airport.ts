import { Aggregate, type AggregateOptions, appliesEvent, handlesCommand, inject } from 'interlock-cqrs';
import { RecordDeparture } from '../messages/commands.js';
import { FlightDeparted } from '../messages/events.js';
import { AirportDirectory } from '../services/airport-directory.js';
import { FlightRefused } from './flight-refused.js';

/** An airport and the flights that left it, in the order in which they were recorded. Its id is its code. */
export class Airport extends Aggregate {
  static aggregateType = 'flights.Airport';
  // The busiest airports have a thousand events: kept in memory, they are not read again for every flight.
  static aggregateOptions: AggregateOptions = { cache: true };

  readonly #directory = inject(AirportDirectory);
  /** Departures of one date and destination. */
  readonly #departures = new Map<string, FlightDeparted[]>();

  @handlesCommand(RecordDeparture)
  record({ date, delay, distance, destination }: RecordDeparture): void {
    for (const code of [this.id, destination])
      if (!this.#directory.isOpen(code)) throw new FlightRefused(`the airport ${JSON.stringify(code)} is not open`);
    if (distance <= 0) throw new FlightRefused(`a distance of ${distance} miles is not positive`);
    const others = this.#departuresLike({ date, destination });
    if (others.some((other) => other.delay === delay && other.distance === distance))
      throw new FlightRefused('an earlier record is equal in all five fields');

    this.emit(new FlightDeparted({ date, delay, distance, destination, ordinal: others.length + 1 }));
  }

  @appliesEvent(FlightDeparted)
  departed(event: FlightDeparted): void {
    this.#departures.set(key(event), [...this.#departuresLike(event), event]);
  }

  #departuresLike(flight: { date: Date; destination: string }): readonly FlightDeparted[] {
    return this.#departures.get(key(flight)) ?? [];
  }
}

function key({ date, destination }: { date: Date; destination: string }): string {
  return `${date.getTime()} ${destination}`;
}
