import { Query } from 'interlock-cqrs';

/** Delays are those of departures, `null` where there are none. */
export interface AirportFigures {
  code: string;
  departures: number;
  arrivals: number;
  meanDelay: number | null;
  medianDelay: number | null;
  worstDelay: number | null;
}

/** All airports with a departure or an arrival; or so many of them, the busiest first. */
export class GetAirports extends Query('flights.GetAirports')<{ busiest?: number }, AirportFigures[]> {}

export interface RouteFigures {
  origin: string;
  destination: string;
  flights: number;
  meanDelay: number;
}

export class GetRoutes extends Query('flights.GetRoutes')<{}, RouteFigures[]> {}

/** Routes whose airports are described by all of these words. */
export class SearchRoutes extends Query('flights.SearchRoutes')<{ words: string }, string[]> {}

export interface Statistics {
  flights: number;
  miles: number;
  /** How many flights had a delay of so many minutes. */
  histogram: { from: number; to: number; flights: number }[];
}

export class GetStatistics extends Query('flights.GetStatistics')<{}, Statistics> {}

export class CountMails extends Query('flights.CountMails')<{}, number> {}

export class CountAlerts extends Query('flights.CountAlerts')<{}, number> {}
