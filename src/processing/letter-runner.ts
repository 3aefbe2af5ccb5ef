import type { Decision } from '../blocks/outcome.ts';
import { Transaction } from '../context/transaction.ts';
import type { Letter, SequenceClaim } from '../ports/letter-store.ts';
import type { ProcessorDefinition } from './definition.ts';
import { describeFailure, judge, type Failure } from './failure-policy.ts';
import { occurrenceOf, type Circumstances } from './occurrence-of.ts';
import type { ProcessingParts } from './parts.ts';

/** How long one claim of a sequence lasts; every letter that is settled prolongs it. Longer than a handler may take. */
const CLAIM = 60_000;

/** What came of retrying one sequence. */
export interface Retried {
  readonly handled: number;
  readonly failed: number;
  /** The failure used up the attempts of a processor that halts then. */
  readonly halt: string | undefined;
}

/** An attempt made while handling letters failed: kept apart from errors of the store. */
class LetterFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super('handler failed');
    this.failure = failure;
  }
}

/**
 * Retries the letters of one sequence in order, and stops at the first failure. One at a time may do so: whoever else has
 * claimed the sequence is left alone, and nothing is counted.
 */
export async function retrySequence(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  sequenceKey: string,
  circumstances: Circumstances & { readonly stopping: () => boolean },
): Promise<Retried> {
  const { letters } = parts.store.processors;
  const claim = await letters.claim(definition.name, sequenceKey, Math.max(CLAIM, definition.options.timeout * 2));
  if (claim === undefined) return { handled: 0, failed: 0, halt: undefined };
  let handled = 0;
  try {
    while (!circumstances.stopping() && !circumstances.signal.aborted) {
      const letter = await letters.first(definition.name, sequenceKey);
      if (letter === undefined) break;
      const failure = await attemptLetter(parts, definition, claim, letter, circumstances);
      if (failure === undefined) {
        handled++;
        continue;
      }
      if (circumstances.signal.aborted) break;
      const halt = await keep(parts, definition, claim, letter, failure);
      return { handled, failed: 1, halt };
    }
    return { handled, failed: 0, halt: undefined };
  } finally {
    await letters.release(claim);
    parts.advanced.notify();
  }
}

async function attemptLetter(
  parts: ProcessingParts,
  definition: ProcessorDefinition,
  claim: SequenceClaim,
  letter: Letter,
  circumstances: Circumstances,
): Promise<Failure | undefined> {
  const { letters } = parts.store.processors;
  const attempt = letter.attempts + 1;
  // From the second on, an attempt is stored before it runs: a process that dies in it does not make it uncounted.
  if (attempt > 1) await letters.settle(claim, letter.id, { ...letter, attempts: attempt }, CLAIM);
  const run = async (transaction: Transaction | undefined): Promise<void> => {
    let decision: Decision | undefined;
    try {
      const stored = await parts.source.find(letter.cursor);
      if (stored === undefined) throw new Error(`the event ${letter.eventId} is no longer in ${letter.source}`);
      decision = await parts.runner.run(definition, occurrenceOf(parts, stored, attempt, circumstances), transaction);
      if (transaction !== undefined) await parts.deliverPending(transaction);
    } catch (error) {
      throw new LetterFailed({ error });
    }
    if (decision !== undefined && decision.kind !== 'skip') throw new LetterFailed({ decision });
    await letters.settle(claim, letter.id, undefined, CLAIM, transaction?.unit);
  };
  try {
    if (definition.exactlyOnce) await Transaction.run(parts.store.unitOfWork, run);
    else await run(undefined);
    return undefined;
  } catch (error) {
    if (error instanceof LetterFailed) return error.failure;
    throw error;
  }
}

/** Writes down what failed and when the next attempt is due. Answers with the reason if the processor is to halt. */
async function keep(
  { store, logger }: ProcessingParts,
  definition: ProcessorDefinition,
  claim: SequenceClaim,
  letter: Letter,
  failure: Failure,
): Promise<string | undefined> {
  const { letters } = store.processors;
  const attempts = letter.attempts + 1;
  const verdict = judge(failure, attempts, definition.options);
  const now = await store.processors.now();
  const described = describeFailure(failure);
  const fields = {
    processor: letter.processor,
    position: String(letter.position),
    event: letter.eventName,
    attempts,
    error: described.errorName,
  };
  if (verdict.kind === 'skip') {
    logger.error('An event is skipped for ever: its attempts are used up, and onExhausted is skip.', fields);
    await letters.settle(claim, letter.id, undefined, CLAIM);
    return undefined;
  }
  const dueAt = verdict.kind === 'again' ? new Date(now.getTime() + verdict.delay) : undefined;
  await letters.settle(
    claim,
    letter.id,
    { ...letter, ...described, behind: false, attempts, dueAt, lastAt: now },
    CLAIM,
  );
  if (dueAt === undefined) logger.error('An event is a dead letter: no attempt is left.', fields);
  if (verdict.kind !== 'halt') return undefined;
  return `${letter.eventName} at position ${letter.position} failed ${attempts} times: ${described.cause.split('\n', 1)[0]}`;
}
