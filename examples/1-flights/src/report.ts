import type { Application } from 'interlock-cqrs';
import type { Rejection } from './import/read-flights.js';
import {
  type AirportFigures,
  CountAlerts,
  CountMails,
  GetAirports,
  GetRoutes,
  GetStatistics,
  type RouteFigures,
} from './messages/queries.js';

/** What the read models say. */
export interface ReadModels {
  readonly airports: Record<string, Omit<AirportFigures, 'code'>>;
  readonly routes: Record<string, Omit<RouteFigures, 'origin' | 'destination'>>;
}

export interface Totals {
  readonly flights: number;
  readonly mails: number;
  readonly alerts: number;
}

/** What `--report` writes. */
export interface Report extends Totals, ReadModels {
  readonly rejected: readonly Rejection[];
  /** Whether the read models, built again from the log, are what they were before. */
  readonly rebuiltEqual: boolean;
}

export async function readModels(app: Application): Promise<ReadModels> {
  const airports = await app.query(new GetAirports());
  const routes = await app.query(new GetRoutes());
  return {
    airports: Object.fromEntries(airports.map(({ code, ...figures }) => [code, figures])),
    routes: Object.fromEntries(
      routes.map(({ origin, destination, ...figures }) => [`${origin}-${destination}`, figures]),
    ),
  };
}

export async function totals(app: Application): Promise<Totals> {
  const { flights } = await app.query(new GetStatistics());
  return { flights, mails: await app.query(new CountMails()), alerts: await app.query(new CountAlerts()) };
}
