import { Transaction } from '../context/transaction.ts';
import { isFromNewerBuild } from '../errors/unreadable-event-error.ts';
import type { Letter, SequenceClaim } from '../ports/letter-store.ts';
import { call, HandlerFailed } from './call.ts';
import type { ProcessorDefinition } from './definition.ts';
import { cut, describeFailure, failureFields, haltReason, judge, type Failure } from './failure-policy.ts';
import type { Circumstances } from './occurrence-of.ts';
import { Interrupted } from './ownership.ts';
import type { ProcessingParts } from './parts.ts';

/** How long one claim of a sequence lasts, at least; every letter that is settled prolongs it. */
const CLAIM = 60_000;
/** Error name of a letter whose attempt has begun: it is found only if the process died in it. */
const UNFINISHED = 'AttemptUnfinished';

/** What came of retrying one sequence. */
export interface Retried {
  readonly handled: number;
  readonly failed: number;
  /** The failure used up the attempts of a processor that halts then. */
  readonly halt: string | undefined;
}

/** Who retries: the loop, because a letter is due, or an operator, who may go beyond the attempts of the policy. */
interface Retrying extends Circumstances {
  readonly stopping: () => boolean;
  readonly asked: boolean;
}

/**
 * Retries the letters of one sequence in order, and stops at the first failure. One at a time may do so: whoever else has
 * claimed the sequence is left alone, and nothing is counted.
 * @throws UnreadableEventError for an event that a newer build wrote: its letter stays as it is
 */
export async function retrySequence(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  sequenceKey: string,
  retrying: Retrying,
): Promise<Retried> {
  const { letters } = parts.store.processors;
  // Longer than a handler may take.
  const milliseconds = Math.max(CLAIM, definition.options.timeout * 2);
  const claim = await letters.claim(definition.name, sequenceKey, milliseconds);
  if (claim === undefined) return { handled: 0, failed: 0, halt: undefined };
  const one = new LetterAttempt(parts, definition, claim, milliseconds, retrying);
  let handled = 0;
  try {
    while (!retrying.stopping() && !retrying.signal.aborted) {
      const letter = await letters.first(definition.name, sequenceKey);
      if (letter === undefined) break;
      const failure = await one.make(letter);
      if (failure === 'interrupted') break;
      if (failure === 'gone') continue;
      if (failure !== undefined) return { handled, failed: 1, halt: await one.keep(letter, failure) };
      handled++;
    }
    return { handled, failed: 0, halt: undefined };
  } finally {
    await letters.release(claim);
    parts.advanced.notify();
  }
}

/** The last attempt died with its process; it is counted already. */
class UnfinishedAttempt extends Error {}

/** Attempts at letters under one claim. */
class LetterAttempt {
  readonly #parts: ProcessingParts;
  readonly #definition: ProcessorDefinition;
  readonly #retrying: Retrying;
  readonly #settle: (id: string, letter: Letter | undefined, transaction?: Transaction) => Promise<void>;

  constructor(
    parts: ProcessingParts,
    definition: ProcessorDefinition,
    claim: SequenceClaim,
    milliseconds: number,
    retrying: Retrying,
  ) {
    this.#parts = parts;
    this.#definition = definition;
    this.#retrying = retrying;
    const { letters } = parts.store.processors;
    this.#settle = async (id, letter, transaction) =>
      letters.settle(claim, id, letter, milliseconds, transaction?.unit);
  }

  /** `undefined`: handled, and the letter is removed. `'gone'`: it was discarded or dropped meanwhile. */
  async make(letter: Letter): Promise<Failure | 'interrupted' | 'gone' | undefined> {
    const { options, exactlyOnce } = this.#definition;
    const { asked } = this.#retrying;
    // Without this a handler that kills its process would do so for ever.
    if (!asked && letter.errorName === UNFINISHED && letter.attempts >= options.attempts)
      return { error: new UnfinishedAttempt(letter.cause) };
    const attempt = letter.attempts + 1;
    // From the second on, an attempt is stored before it runs: a process that dies in it does not make it uncounted.
    if (attempt > 1) await this.#settle(letter.id, begun(letter, attempt));
    try {
      // Outside a transaction nothing but waiting keeps it apart from the reset() of a replay.
      if (!exactlyOnce)
        return await this.#parts.retries.run(letter.processor, () => this.#run(letter, attempt, undefined));
      return await Transaction.run(this.#parts.store.unitOfWork, (transaction) =>
        this.#run(letter, attempt, transaction),
      );
    } catch (error) {
      const interrupted = error instanceof Interrupted;
      const newer = error instanceof HandlerFailed && 'error' in error.failure && isFromNewerBuild(error.failure.error);
      // Neither was an attempt.
      if ((interrupted || newer) && attempt > 1) await this.#settle(letter.id, letter);
      if (interrupted) return 'interrupted';
      if (newer && 'error' in error.failure) throw error.failure.error;
      if (error instanceof HandlerFailed) return error.failure;
      throw error;
    }
  }

  async #run(letter: Letter, attempt: number, transaction: Transaction | undefined): Promise<'gone' | undefined> {
    const { source, store } = this.#parts;
    // A replay that has begun meanwhile has dropped it, and will handle its event.
    const still = await store.processors.letters.first(letter.processor, letter.sequenceKey, transaction?.unit);
    if (still?.id !== letter.id) return 'gone';
    const stored = await source.find(letter.cursor);
    if (stored === undefined)
      throw new HandlerFailed({ error: new Error(`the event ${letter.eventId} is no longer in the ${letter.source}`) });
    await call(this.#parts, this.#definition, this.#retrying, stored, attempt, transaction);
    await this.#settle(letter.id, undefined, transaction);
    return undefined;
  }

  /** Writes down what failed and when the next attempt is due. Answers with the reason if the processor is to halt. */
  async keep(letter: Letter, failure: Failure): Promise<string | undefined> {
    const { store, logger } = this.#parts;
    const counted = 'error' in failure && failure.error instanceof UnfinishedAttempt;
    const attempts = counted ? letter.attempts : letter.attempts + 1;
    const verdict = judge(failure, attempts, this.#definition.options);
    const about = { position: letter.position, name: letter.eventName };
    const fields = failureFields(letter.processor, about, failure, attempts);
    if (verdict.kind === 'skip') {
      logger.error('An event is skipped for ever: its attempts are used up, and onExhausted is skip.', fields);
      await this.#settle(letter.id, undefined);
      return undefined;
    }
    const now = await store.processors.now();
    // One that halts stays due: whoever resumes has it tried again.
    const delay = verdict.kind === 'again' ? verdict.delay : verdict.kind === 'halt' ? 0 : undefined;
    const dueAt = delay === undefined ? undefined : new Date(now.getTime() + delay);
    await this.#settle(letter.id, {
      ...letter,
      ...describeFailure(failure),
      behind: false,
      attempts,
      dueAt,
      lastAt: now,
    });
    if (dueAt === undefined) logger.error('An event is a dead letter: no attempt is left.', fields);
    return verdict.kind === 'halt' ? haltReason(about, failure, attempts) : undefined;
  }
}

function begun(letter: Letter, attempts: number): Letter {
  const before = letter.cause === '' ? '' : `\nbefore that: ${letter.cause}`;
  return {
    ...letter,
    attempts,
    errorName: UNFINISHED,
    cause: cut(`attempt ${attempts} did not end: the process that made it stopped${before}`),
  };
}
