import { Command } from 'commander';
import { run } from './run.js';

interface Options {
  readonly file?: string;
  readonly db: string;
  readonly outbox?: string;
  readonly async?: boolean;
  readonly report?: string;
}

const options = new Command('flights')
  .description(
    'Imports flights into an event-sourced application on a SQLite file. Interrupt it anywhere and run it again: it goes on.',
  )
  .option('--file <file>', 'the flights to import (default: flights-20k.json of vega-datasets)')
  .option('--db <file>', 'the database', 'flights.db')
  .option('--outbox <folder>', 'the folder for mails (default: beside the database)')
  .option('--async', 'deliver events to all processors asynchronously; without it, to the read models synchronously')
  .option('--report <file>', 'write what was found as JSON')
  .parse()
  .opts<Options>();

// Once: a second Ctrl-C does what it always does, and ends the process at once. That loses nothing either.
const interrupt = new AbortController();
const onSignal = (): void => interrupt.abort();
process.once('SIGINT', onSignal).once('SIGTERM', onSignal);

try {
  const complete = await run({
    file: options.file,
    db: options.db,
    outbox: options.outbox ?? `${options.db}-outbox`,
    asynchronous: options.async ?? false,
    report: options.report,
    signal: interrupt.signal,
  });
  process.exitCode = complete ? 0 : 1;
} catch (error) {
  if (interrupt.signal.aborted) {
    console.error('\nInterrupted. Run it again to go on.');
    process.exitCode = 130;
  } else {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
