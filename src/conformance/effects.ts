import assert from 'node:assert/strict';
import { encode } from '../message/codec.ts';
import type { Case } from './case.ts';

/** Marks of effects outside the store. */
export const effectCases: readonly Case[] = [
  {
    law: 'processing/17',
    name: 'a mark is started, then done with its result, and stays done',
    async run({ store: { effects } }) {
      const result = encode({ at: new Date(5) });
      assert.equal(await effects.read("k'"), undefined);
      await effects.start("k'");
      assert.deepEqual({ ...(await effects.read("k'")) }, { state: 'started' });
      await effects.start("k'");
      await effects.finish("k'", result);
      assert.deepEqual({ ...(await effects.read("k'")) }, { state: 'done', result });
      await effects.start("k'");
      assert.deepEqual({ ...(await effects.read("k'")) }, { state: 'done', result });
      assert.equal(await effects.read('k'), undefined);
    },
  },
  {
    law: 'processing/17',
    name: 'a mark can be abandoned while it is started, not once it is done',
    async run({ store: { effects } }) {
      await effects.start('a');
      await effects.start('b');
      await effects.abandon('a');
      await effects.abandon('none');
      assert.equal(await effects.read('a'), undefined);
      assert.deepEqual({ ...(await effects.read('b')) }, { state: 'started' });
      const result = encode(undefined);
      await effects.finish('b', result);
      await effects.abandon('b');
      assert.deepEqual({ ...(await effects.read('b')) }, { state: 'done', result });
    },
  },
];
