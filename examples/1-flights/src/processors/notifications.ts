import {
  type EventContext,
  handlesEvent,
  handlesQuery,
  inject,
  type ProcessorOptions,
  Projection,
} from 'interlock-cqrs';
import { FlightDeparted } from '../messages/events.js';
import { CountMails } from '../messages/queries.js';
import { Outbox } from '../services/outbox.js';

const VERY_LATE = 180;

/** Sends one mail for every flight that left more than three hours late. */
export class Notifications extends Projection {
  static processorName = 'flights.notifications';
  // A mail cannot be rolled back, so it must not be sent before the event is stored: never inside dispatch.
  static processorOptions: ProcessorOptions = { delivery: 'async' };

  constructor(private readonly outbox = inject(Outbox)) {
    super();
  }

  @handlesEvent(FlightDeparted)
  async departed(flight: FlightDeparted, { aggregateId: origin, eventId, once }: EventContext): Promise<void> {
    if (flight.delay <= VERY_LATE) return;
    const when = flight.date.toISOString().slice(0, 16).replace('T', ' ');
    const which = flight.ordinal === 1 ? '' : ` (flight ${flight.ordinal} of that minute)`;
    // After a crash this event may come again. `once` remembers, in the store, that its mail is out.
    await once('mail', () =>
      this.outbox.send({
        id: eventId,
        to: `operations@${origin.toLowerCase()}.example`,
        subject: `${origin}-${flight.destination} left ${flight.delay} minutes late`,
        body: `The flight from ${origin} to ${flight.destination} of ${when} UTC${which} left ${flight.delay} minutes late.`,
      }),
    );
  }

  @handlesQuery(CountMails)
  mails(): Promise<number> {
    return this.outbox.count();
  }
}
