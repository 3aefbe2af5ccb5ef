import type { AggregateClass } from '../aggregate/definition.ts';
import type { AggregateOptions } from '../aggregate/options.ts';
import type { DependencyOptions } from '../container/container.ts';
import type { Provider, Token } from '../container/token.ts';
import type { Class, Constructible, Event } from '../message/types.ts';
import type { Upcaster } from '../message/upcast.ts';
import type { Adapter } from '../ports/store.ts';
import type { ProcessorClass } from '../processing/definition.ts';
import type { ProcessorOptions } from '../processing/options.ts';

/** What was registered, in the order of registration. */
export interface Registrations {
  readonly adapters: Adapter[];
  readonly aggregates: { readonly type: AggregateClass; readonly options: AggregateOptions }[];
  readonly processors: { readonly type: ProcessorClass; readonly options: ProcessorOptions }[];
  readonly dependencies: {
    readonly token: Token<unknown>;
    readonly provider: Provider<unknown>;
    readonly options: DependencyOptions;
  }[];
  readonly middleware: Constructible<object>[];
  readonly upcasters: Upcaster[];
  readonly events: Class<Event>[];
  readonly folders: { readonly folder: URL; readonly typescript: boolean }[];
}
