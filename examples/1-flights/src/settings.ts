import { token } from 'interlock-cqrs';

/** Where the application keeps what it writes. */
export interface FlightsSettings {
  /** The database: events, read models, checkpoints. */
  readonly db: string;
  /** The folder that mails are put into. */
  readonly outbox: string;
}

/** The token under which services ask for it. */
export const Settings = token<FlightsSettings>('Settings');
