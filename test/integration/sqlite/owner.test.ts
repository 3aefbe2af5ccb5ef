import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { actFor, isDead, newOwner } from '../../../src/adapters/sqlite/owner.ts';

const owner = (thread: number | string): string => `${hostname()}:${process.pid}:${thread}-x`;

test('an owner of this process is dead if this thread should know of it and does not', () => {
  expect(isDead(owner(threadId))).toBe(true);
  actFor(owner(threadId));
  expect(isDead(owner(threadId))).toBe(false);
  expect(isDead(newOwner())).toBe(false);
});

test('an owner in another thread of this process is alive, since nothing is known of it', () => {
  expect(isDead(owner(threadId + 1))).toBe(false);
});
