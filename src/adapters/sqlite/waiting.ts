import { setImmediate, setTimeout } from 'node:timers/promises';
import { isBusy } from './failure.ts';

const SPINS = 20;
const LONGEST_WAIT = 4;

/**
 * Tries until no other process holds the lock, for so many milliseconds. SQLite's own busy timeout would block the event loop,
 * so it is 0 and the waiting is done here: some turns of the loop first, then pauses, of random length so that two who wait
 * do not meet for ever.
 */
export async function whenFree<T>(attempt: () => T, milliseconds: number): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (let tries = 0; ; tries += 1) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    if (tries < SPINS) await setImmediate();
    else await setTimeout(1 + Math.random() * Math.min(LONGEST_WAIT, tries - SPINS));
  }
}
