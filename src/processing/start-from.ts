import type { EventSource } from '../ports/event-source.ts';
import type { ProcessorOptions } from './options.ts';

/** The checkpoint of a processor that has none yet; `undefined`: before everything. */
export async function firstCursor(
  source: EventSource,
  from: ProcessorOptions['startFrom'],
): Promise<string | undefined> {
  if (from === undefined || from === 'beginning') return undefined;
  if (from === 'end') return source.head();
  return 'position' in from ? String(from.position) : source.cursorAt(from.timestamp);
}
