import type { Deposit } from '../domain.ts';

/** A bank in memory, written as the documentation of another library would have it. */
export interface Peer {
  /** Replays the account, decides, appends one event. */
  deposit(deposit: Deposit): Promise<unknown>;
  /** How many events are stored. */
  events(): number;
  /** What a replay makes of an account: the version is the number of its events. */
  account(accountId: string): Promise<{ readonly version: number; readonly balance: number }>;
  close(): Promise<void>;
}
