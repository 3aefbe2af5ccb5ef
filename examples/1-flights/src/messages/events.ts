import { Event } from 'interlock-cqrs';

/** A flight left; the aggregate it belongs to is the origin. */
export class FlightDeparted extends Event('flights.FlightDeparted')<{
  date: Date;
  delay: number;
  distance: number;
  destination: string;
  /** Tells apart flights of one date, origin and destination: 1, 2, … */
  ordinal: number;
}> {}
