import { Command } from 'interlock-cqrs';

/** A flight left the airport that the command is addressed to: its `aggregateId` is the origin. */
export class RecordDeparture extends Command('flights.RecordDeparture')<{
  date: Date;
  /** Minutes after the plan; negative: before it. */
  delay: number;
  /** Miles. */
  distance: number;
  destination: string;
}> {}
