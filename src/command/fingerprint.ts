import { encode } from '../message/codec.ts';

/**
 * A text that is equal for equal payloads, whatever the order of their keys.
 * @throws NotStorableError for a payload that no store could keep.
 */
export function fingerprint(command: object): string {
  const { data, types } = encode(command);
  return types === null
    ? canonical(JSON.parse(data))
    : `${canonical(JSON.parse(data))}\n${canonical(JSON.parse(types))}`;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}
