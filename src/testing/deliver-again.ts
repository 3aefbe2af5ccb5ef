import { UsageError } from '../errors/usage-error.ts';
import { Picture } from './picture.ts';
import { print, printMessages } from './print.ts';
import type { Delivery, ProcessorStage } from './processor-stage.ts';
import { SubjectFailed } from './scenario.ts';
import { type Place, unmet } from './unmet.ts';

/** Delivers again what was delivered, and fails where something came of it. */
export async function deliverAgain(stage: ProcessorStage, place: Place): Promise<void> {
  if (stage.delivered.length === 0) throw new UsageError(`${place.text}: no event was given that could come again.`);
  const { subject } = stage;
  const printed = print(subject);
  const picture = new Picture(subject);
  const tables = await stage.tables();
  const dispatched = stage.commands.count;
  for (const delivery of stage.delivered) await repeat(stage, delivery, place);

  const further = stage.commands.commands.slice(dispatched);
  if (further.length > 0)
    throw unmet(place, {
      what: 'delivered again, the events caused further commands',
      expected: [],
      actual: further,
      wanted: printMessages([]),
      found: printMessages(further),
    });
  const different = picture.difference(new Picture(subject), subject.constructor.name);
  if (different !== undefined)
    throw unmet(place, {
      what: `delivered again, the events changed ${different.path}`,
      expected: printed,
      actual: print(subject),
      wanted: different.before,
      found: different.after,
    });
  compareTables(place, tables, await stage.tables());
}

async function repeat(stage: ProcessorStage, delivery: Delivery, place: Place): Promise<void> {
  try {
    await stage.repeat(delivery);
  } catch (thrown) {
    if (!(thrown instanceof SubjectFailed)) throw thrown;
    const { error } = thrown;
    throw unmet(place, {
      what: `${delivery.stored.name}, delivered again, failed`,
      expected: undefined,
      actual: error,
      wanted: 'no error',
      found: error instanceof Error ? `${error.name}: ${error.message}` : print(error),
      cause: error,
    });
  }
}

function compareTables(place: Place, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (table) => before.get(table) !== after.get(table),
  );
  if (changed.length === 0) return;
  throw unmet(place, {
    what: `delivered again, the events changed ${changed.join(', ')}`,
    expected: changed.map((table) => before.get(table)),
    actual: changed.map((table) => after.get(table)),
    wanted: 'the rows as they were',
    found: 'other rows',
  });
}
