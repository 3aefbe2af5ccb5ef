import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

const HOST = hostname();
/** Owners that this thread has claimed something for. */
const mine = new Set<string>();
let tokens = 0;

/** Remembers that this thread acts for an owner: its own ids, met in another's name, then tell of an earlier process. */
export function actFor(owner: string): void {
  mine.add(owner);
}

/** An owner of this process that nobody had before. */
export function newOwner(): string {
  tokens += 1;
  const owner = `${HOST}:${process.pid}:${threadId}-${tokens}-${Math.random().toString(36).slice(2)}`;
  actFor(owner);
  return owner;
}

/**
 * True for an owner, written `host:pid:thread-anything`, that is known to be dead: a process of this machine that is no more. A
 * file has its users on one machine, so after a kill there is no lease to wait for. A container that restarts often has the id
 * it had before; then the process is alive, but it never acted for that owner. Of other threads nothing is known here.
 */
export function isDead(owner: string): boolean {
  const [, host, id, thread] = /^(.*):(\d+):(?:(\d+)-)?[^:]*$/.exec(owner) ?? [];
  if (host !== HOST || id === undefined) return false;
  const pid = Number(id);
  if (pid === process.pid) return !mine.has(owner) && (thread === undefined || Number(thread) === threadId);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
