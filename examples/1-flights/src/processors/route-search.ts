import {
  type EventContext,
  handlesEvent,
  handlesQuery,
  inject,
  type ProcessorOptions,
  Projection,
} from 'interlock-cqrs';
import { FlightDeparted } from '../messages/events.js';
import { SearchRoutes } from '../messages/queries.js';
import { AirportDirectory } from '../services/airport-directory.js';
import { SearchIndex } from '../services/search-index.js';

/** Integration: keeps a search engine in step with the routes that are flown. */
export class RouteSearch extends Projection {
  static processorName = 'flights.route-search';
  // It talks to another system. An event may reach it twice after a crash; adding a document twice does no harm.
  static processorOptions: ProcessorOptions = { delivery: 'async' };

  constructor(
    private readonly index = inject(SearchIndex),
    private readonly directory = inject(AirportDirectory),
  ) {
    super();
  }

  @handlesEvent(FlightDeparted)
  async departed({ destination }: FlightDeparted, { aggregateId: origin }: EventContext): Promise<void> {
    await this.index.add(`${origin}-${destination}`, `${this.#describe(origin)} ${this.#describe(destination)}`);
  }

  @handlesQuery(SearchRoutes)
  search({ words }: SearchRoutes): Promise<string[]> {
    return this.index.search(words);
  }

  #describe(code: string): string {
    const { name, city, state } = this.directory.entry(code);
    return `${code} ${name} ${city} ${state}`;
  }
}
