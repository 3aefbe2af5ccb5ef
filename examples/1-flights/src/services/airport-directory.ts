import { readFile } from 'node:fs/promises';
import { csvParse } from 'd3-dsv';
import type { HasLifecycle } from 'interlock-cqrs';
import { dataset } from '../import/dataset.js';

/** What is known of an airport. */
export interface AirportEntry {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
}

/** The airports that are open, read once from `airports.csv`. */
export class AirportDirectory implements HasLifecycle {
  readonly #airports = new Map<string, AirportEntry>();

  async onStartup(): Promise<void> {
    const rows = csvParse(await readFile(dataset('airports.csv'), 'utf8'));
    for (const { iata: code = '', name = '', city = '', state = '' } of rows)
      this.#airports.set(code, { code, name, city, state });
  }

  isOpen(code: string): boolean {
    return this.#airports.has(code);
  }

  /** @throws Error if the airport is not open. */
  entry(code: string): AirportEntry {
    const entry = this.#airports.get(code);
    if (entry === undefined) throw new Error(`The airport ${JSON.stringify(code)} is not in the directory.`);
    return entry;
  }
}
