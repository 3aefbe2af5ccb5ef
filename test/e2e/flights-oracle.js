// What examples/1-flights must report, computed without it and without the library, in one plain pass:
//   node test/e2e/flights-oracle.js [file]
// Prints the report as JSON. Instead of texts, `rejected` has kinds and `mails` says which flights they are about.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const data = new URL('../../node_modules/vega-datasets/data/', import.meta.url);
const file = process.argv[2] ?? fileURLToPath(new URL('flights-20k.json', data));
const rows = JSON.parse(readFileSync(file, 'utf8'));
// Codes stand first in their line and are never quoted.
const open = new Set(
  readFileSync(new URL('airports.csv', data), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(','))),
);

function minutes(text) {
  if (typeof text !== 'string' || !/^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}$/.test(text)) return Number.NaN;
  const [year, month, day, hour, minute] = text.match(/\d+/g).map(Number);
  const days = [
    31,
    year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28,
    31,
    30,
    31,
    30,
    31,
    31,
    30,
    31,
    30,
    31,
  ];
  if (!(day >= 1 && day <= days[month - 1]) || hour > 23 || minute > 59) return Number.NaN;
  return Date.UTC(year, month - 1, day, hour, minute) / 60_000;
}

function kindOfRefusal(row, earlier) {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'broken';
  const { date, delay, distance, origin, destination } = row;
  if (Number.isNaN(minutes(date)) || !Number.isSafeInteger(delay) || !Number.isFinite(distance)) return 'broken';
  for (const code of [origin, destination]) if (typeof code !== 'string' || code === '') return 'broken';
  if (!open.has(origin) || !open.has(destination)) return 'closed';
  if (distance <= 0) return 'distance';
  return earlier.has([date, delay, distance, origin, destination].join('|')) ? 'equal' : undefined;
}

const compare = (a, b) => (a < b ? -1 : Number(a > b));
const mean = (numbers) => (numbers.length === 0 ? null : numbers.reduce((sum, n) => sum + n, 0) / numbers.length);
function median(numbers) {
  if (numbers.length === 0) return null;
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const earlier = new Set();
const alike = {};
const delaysFrom = {};
const arrivalsAt = {};
const delaysOn = {};
const lateAt = {};
const rejected = [];
const mails = [];
let flights = 0;
let alerts = 0;
rows.forEach((row, index) => {
  const kind = kindOfRefusal(row, earlier);
  if (kind !== undefined) {
    rejected.push({ index, kind });
    return;
  }
  const { date, delay, distance, origin, destination } = row;
  earlier.add([date, delay, distance, origin, destination].join('|'));
  flights += 1;
  (delaysFrom[origin] ??= []).push(delay);
  (delaysOn[`${origin}-${destination}`] ??= []).push(delay);
  arrivalsAt[destination] = (arrivalsAt[destination] ?? 0) + 1;
  const slot = `${date} ${origin}-${destination}`;
  alike[slot] = (alike[slot] ?? 0) + 1;
  if (delay > 180) mails.push(`${origin}-${destination} ${date} ${delay} #${alike[slot]}`);
  if (delay > 30) {
    const late = (lateAt[origin] ??= []);
    if (late.filter((at) => at >= minutes(date) - 120 && at <= minutes(date)).length >= 2) alerts += 1;
    late.push(minutes(date));
  }
});

const airports = {};
for (const code of new Set([...Object.keys(delaysFrom), ...Object.keys(arrivalsAt)])) {
  const delays = delaysFrom[code] ?? [];
  airports[code] = {
    departures: delays.length,
    arrivals: arrivalsAt[code] ?? 0,
    meanDelay: mean(delays),
    medianDelay: median(delays),
    worstDelay: delays.length === 0 ? null : Math.max(...delays),
  };
}
const routes = Object.fromEntries(
  Object.entries(delaysOn).map(([route, delays]) => [route, { flights: delays.length, meanDelay: mean(delays) }]),
);
console.log(
  JSON.stringify({ flights, rejected, airports, routes, mails: mails.toSorted(compare), alerts, rebuiltEqual: true }),
);
