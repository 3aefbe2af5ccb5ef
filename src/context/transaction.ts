import type { RecordedHeader } from '../message/recorded-event.ts';
import type { Awaitable, Event } from '../message/types.ts';
import type { Unit, UnitOfWork } from '../ports/unit-of-work.ts';
import type { Trail } from './trail.ts';

/** An event that was appended in a transaction and waits for the synchronous processors. */
export interface PendingDelivery {
  readonly event: Event;
  readonly header: RecordedHeader;
  readonly trail: Trail | undefined;
}

/** An open unit, with what has to follow in it and after it. */
export class Transaction {
  readonly unit: Unit;
  /** In log order. Whoever opened the transaction delivers them, before it ends. */
  readonly pending: PendingDelivery[] = [];
  readonly #afterCommit: (() => void)[] = [];

  constructor(unit: Unit) {
    this.unit = unit;
  }

  /** Runs `work` once everything is committed; never if it is rolled back. */
  afterCommit(work: () => void): void {
    this.#afterCommit.push(work);
  }

  /** Like `unit.savepoint`, but what waits for delivery is undone too. */
  async savepoint<T>(work: () => Awaitable<T>): Promise<T> {
    const pending = this.pending.length;
    const after = this.#afterCommit.length;
    try {
      return await this.unit.savepoint(work);
    } catch (error) {
      this.pending.length = pending;
      this.#afterCommit.length = after;
      throw error;
    }
  }

  /** Opens a unit, runs `work` in it, commits, then runs what waits for the commit. */
  static async run<T>(unitOfWork: UnitOfWork, work: (transaction: Transaction) => Awaitable<T>): Promise<T> {
    let transaction: Transaction | undefined;
    const result = await unitOfWork.run((unit) => {
      transaction = new Transaction(unit);
      return work(transaction);
    });
    if (transaction !== undefined) for (const next of transaction.#afterCommit) next();
    return result;
  }
}
