import { InterlockError } from './interlock-error.ts';

/**
 * Why a stored event cannot be read. `unknown`: no class of that name is registered. `newer-version`: a later build wrote it.
 * `undecodable`: its data is damaged, or an upcaster failed on it; `cause` says how.
 */
export type UnreadableReason = 'unknown' | 'newer-version' | 'undecodable';

/** An aggregate or a processor met a stored event that this build cannot turn into an instance. The event stays stored. */
export class UnreadableEventError extends InterlockError {
  readonly code = 'UNREADABLE_EVENT';

  /** Its place in the log. */
  readonly position: bigint;

  readonly stream: { readonly tenant: string; readonly type: string; readonly id: string };

  /** The name it is stored under. */
  readonly eventName: string;

  readonly reason: UnreadableReason;

  /** @param advice what is wrong and what to do about it, as sentences. */
  constructor(
    event: { readonly position: bigint; readonly stream: UnreadableEventError['stream']; readonly name: string },
    reason: UnreadableReason,
    advice: string,
    options?: ErrorOptions,
  ) {
    const { tenant, type, id } = event.stream;
    const where = `of ${type} '${id}'${tenant === '' ? '' : ` (tenant '${tenant}')`} at position ${event.position}`;
    super(`Event '${event.name}' ${where} cannot be read: ${advice}`, options);
    this.position = event.position;
    this.stream = event.stream;
    this.eventName = event.name;
    this.reason = reason;
  }
}

/** Whether an event could be read by a newer build: then it is no failure, and must not be parked here. */
export function isFromNewerBuild(error: unknown): error is UnreadableEventError {
  return error instanceof UnreadableEventError && error.reason === 'newer-version';
}
