import { type Application, ApplicationBuilder, AsynchronousDelivery, EventDelivery } from 'interlock-cqrs';
import { sqlite } from 'interlock-cqrs/sqlite';
import { type FlightsSettings, Settings } from './settings.js';

/** Aggregates, processors, projections and services are found in the folders of these names beside this file. */
export function buildApplication(settings: FlightsSettings & { readonly asynchronous: boolean }): Promise<Application> {
  const builder = new ApplicationBuilder()
    .use(sqlite({ file: settings.db }))
    .registerDependency(Settings, () => settings)
    .conventionBased(new URL('./', import.meta.url));
  if (settings.asynchronous) builder.registerDependency(EventDelivery, AsynchronousDelivery);
  return builder.build();
}
