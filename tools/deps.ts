// Runs the rules of .dependency-cruiser.mjs, and counts: a cruiser without a compiler that it knows sees no TypeScript
// at all, finds no violation, and would say that all is well.
import { globSync } from 'node:fs';
import { cruise } from './cruise.ts';

const { modules, summary } = await cruise('.');
const seen = new Set(modules.map((module) => module.source));
const missed = globSync('src/**/*.ts').filter((file) => !seen.has(file.replaceAll('\\', '/')));

for (const { rule, from, to, cycle } of summary.violations) {
  console.error(`${rule.name}: ${from} -> ${cycle?.map((step) => step.name).join(' -> ') ?? to}`);
}
for (const file of missed) console.error(`not seen: ${file}`);
if (seen.size === 0) console.error('no file was seen');

if (summary.violations.length + missed.length > 0 || seen.size === 0) process.exitCode = 1;
else console.log(`${seen.size} modules, no violation`);
