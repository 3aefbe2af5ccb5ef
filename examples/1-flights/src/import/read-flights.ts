import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A record of the file that is as it should be. */
export interface FlightRecord extends z.output<typeof schema> {
  /** Its place in the file, from 0. */
  readonly index: number;
  /** The same in every run over this file, and different from that of any other record of it. */
  readonly key: string;
}

/** A record that does not become a flight. */
export interface Rejection {
  readonly index: number;
  readonly reason: string;
}

export interface FlightFile {
  readonly records: readonly FlightRecord[];
  readonly broken: readonly Rejection[];
  /** How many records the file has, of whatever kind. */
  readonly total: number;
}

const schema = z.object(
  {
    date: z.string(expected('a date')).transform((text, context) => {
      const date = parseDate(text);
      if (date !== undefined) return date;
      context.addIssue({ code: 'custom', message: `expected a date like 2001/01/31 23:59, got ${shown(text)}` });
      return z.NEVER;
    }),
    delay: z.int(expected('whole minutes')),
    distance: z.number(expected('a number of miles')),
    origin: z.string(expected('the code of an airport')).min(1, expected('the code of an airport')),
    destination: z.string(expected('the code of an airport')).min(1, expected('the code of an airport')),
  },
  expected('an object'),
);

/**
 * Reads a file of the shape of `flights-20k.json`. Records that are not of that shape are listed, and the rest is used.
 * @throws Error if the file is no JSON array.
 */
export async function readFlights(file: string | URL): Promise<FlightFile> {
  const rows = await readArray(file);
  const records: FlightRecord[] = [];
  const broken: Rejection[] = [];
  const seen = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    const { data, error } = schema.safeParse(row);
    if (error !== undefined) {
      broken.push({ index, reason: `broken record: ${error.issues.map(described).join('; ')}` });
      continue;
    }
    // From what the record says, not from its place: a file that was corrected, or another one, may follow on one database. The
    // count tells equal records apart, so that the second one is refused as such and not taken for the first one, come again.
    const content = JSON.stringify([data.date, data.delay, data.distance, data.origin, data.destination]);
    const occurrence = seen.get(content) ?? 0;
    seen.set(content, occurrence + 1);
    records.push({ ...data, index, key: `${content}#${occurrence}` });
  }
  return { records, broken, total: rows.length };
}

async function readArray(file: string | URL): Promise<unknown[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(
      `${String(file)} cannot be read: ${(cause as Error).message}. Give --file a JSON array of flights.`,
      {
        cause,
      },
    );
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${String(file)} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(content)) throw new Error(`${String(file)} holds no JSON array of flights.`);
  return content;
}

/** Reads `2001/01/31 23:59` as UTC; `undefined` for another form, and for a day or a minute that does not exist. */
function parseDate(text: string): Date | undefined {
  if (!/^\d{4}\/\d\d\/\d\d \d\d:\d\d$/.test(text)) return undefined;
  const iso = text.replaceAll('/', '-').replace(' ', 'T');
  const date = new Date(`${iso}Z`);
  // Some days that do not exist are read as others.
  return Number.isNaN(date.getTime()) || !date.toISOString().startsWith(iso) ? undefined : date;
}

/** Has zod say what it expected where a value is something else. */
function expected(what: string): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => `expected ${what}, got ${shown(input)}` };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function described({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}
