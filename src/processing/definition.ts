import type { EventProcessor } from '../blocks/event-processor.ts';
import type { Constructible } from '../message/types.ts';
import type { DeliveryKind } from '../ports/processor-store.ts';
import { ANY, type Handler, type HandlerTable } from '../routing/handler-table.ts';
import type { ProcessorOptions, ResolvedOptions } from './options.ts';

/** An event processor class as it may be registered. */
export type ProcessorClass = Constructible<EventProcessor> & {
  readonly processorName?: string;
  /** Its options where `conventionBased` finds it; those of `registerEventProcessor` stand in their place. */
  readonly processorOptions?: ProcessorOptions;
};

/** A registered event processor, ready to run. */
export interface ProcessorDefinition {
  readonly name: string;
  readonly class: ProcessorClass;
  readonly instance: EventProcessor;
  readonly table: HandlerTable;
  readonly delivery: DeliveryKind;
  /** Its construction resolved a session token, directly or through a dependency. */
  readonly usesSession: boolean;
  /** Handler and checkpoint commit together. */
  readonly exactlyOnce: boolean;
  readonly options: ResolvedOptions;
  /** Stored names it follows, former ones included; `undefined`: all. */
  readonly eventNames: readonly string[] | undefined;
}

/** Its durable name: `static processorName`, not inherited; else the class's. */
export function processorName(type: { readonly name: string; readonly processorName?: string }): string {
  return isNamed(type) ? (type.processorName as string) : type.name;
}

/** Whether the name was written, and so survives a rename of the class. */
export function isNamed(type: { readonly processorName?: string }): boolean {
  return Object.hasOwn(type, 'processorName') && typeof type.processorName === 'string' && type.processorName !== '';
}

/** The handler of an event class: the specific one, else that of any event. */
export function handlerFor({ table }: ProcessorDefinition, eventClass: object): Handler | undefined {
  return table.get('event', eventClass) ?? table.get('anyEvent', ANY);
}
