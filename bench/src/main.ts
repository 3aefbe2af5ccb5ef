import { cpus } from 'node:os';
import Database from 'better-sqlite3';
import { Command } from 'commander';
import { measure } from './runner.ts';
import { catchUpOnSqlite } from './workloads/catch-up-on-sqlite.ts';
import { commandsInMemory } from './workloads/commands-in-memory.ts';
import { commandsOnSqlite } from './workloads/commands-on-sqlite.ts';

const workloads = [commandsInMemory, commandsOnSqlite, catchUpOnSqlite];

const program = new Command('bench')
  .description(
    'Measures against hand-written floors in the same run. Ratios are what counts; rates depend on the machine.',
  )
  .argument('[names...]', `workloads: ${workloads.map(({ name }) => name).join(', ')}; left out: all`)
  .option('-n, --repetitions <n>', 'counted repetitions, after one to warm up', '5')
  .parse();

const names = program.args;
const unknown = names.filter((name) => !workloads.some((workload) => workload.name === name));
if (unknown.length > 0)
  program.error(`no workload ${unknown.join(', ')}; there are ${workloads.map(({ name }) => name).join(', ')}`);
const repetitions = Number(program.opts<{ repetitions: string }>().repetitions);
if (!Number.isInteger(repetitions) || repetitions < 1) program.error('--repetitions is a whole number from 1');

const sqliteVersion = new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get() as string;
console.log(
  `Node ${process.version}, SQLite ${sqliteVersion}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${repetitions} repetitions\n`,
);
for (const workload of workloads.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`${workload.name}: ${workload.title}`);
  for (const { contestant, rate, ratio, goal } of await measure(workload, repetitions)) {
    const [least, median, most] = ratio.map((value) => value.toFixed(2));
    const verdict = goal === undefined ? '' : `  goal ${goal}: ${ratio[1] >= goal ? 'reached' : 'MISSED'}`;
    console.log(
      `  ${contestant.padEnd(36)} ${Math.round(rate).toLocaleString('en').padStart(9)} ${workload.unit}/s   ratio ${median} (${least} to ${most})${verdict}`,
    );
  }
  console.log();
}
