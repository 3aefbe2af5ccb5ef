import { describe, expect, it } from 'vitest';
import { type HasLifecycle, Lifecycle } from '../../../src/container/lifecycle.ts';

/** Notes what is called; `fails` names the hooks that throw. */
function parts(names: string, fails: readonly string[] = []) {
  const log: string[] = [];
  const note = async (what: string) => {
    await Promise.resolve();
    log.push(what);
    if (fails.includes(what)) throw new Error(what);
  };
  const instances = names.split('').map((name) => ({
    onStartup: async () => note(`+${name}`),
    onShutdown: async () => note(`-${name}`),
  }));
  return { log, instances };
}

const caught = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('start and stop', () => {
  it('start in order, one by one, and stop in reverse', async () => {
    const { log, instances } = parts('abc');
    const lifecycle = new Lifecycle(instances);
    await lifecycle.start();
    await lifecycle.stop();
    expect(log).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
  });

  it('take hooks that are synchronous, missing, and instances that are no objects', async () => {
    const log: string[] = [];
    const sync: HasLifecycle = { onStartup: () => void log.push('+'), onShutdown: () => void log.push('-') };
    const lifecycle = new Lifecycle([null, 1, 'x', () => 1, {}, sync]);
    await lifecycle.start();
    await lifecycle.stop();
    expect(log).toEqual(['+', '-']);
  });

  it('run each start through the hook that was given', async () => {
    const { log, instances } = parts('ab');
    const lifecycle = new Lifecycle(instances, async (instance, start) => {
      log.push(`begin ${instances.indexOf(instance as (typeof instances)[0])}`);
      await start();
      log.push('commit');
    });
    await lifecycle.start();
    expect(log).toEqual(['begin 0', '+a', 'commit', 'begin 1', '+b', 'commit']);
  });

  it('happen once, however often they are called', async () => {
    const { log, instances } = parts('a');
    const lifecycle = new Lifecycle(instances);
    await Promise.all([lifecycle.start(), lifecycle.start()]);
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(log).toEqual(['+a', '-a']);
  });

  it('do not start again after a stop', async () => {
    const { log, instances } = parts('a');
    const lifecycle = new Lifecycle(instances);
    await lifecycle.stop();
    await expect(lifecycle.start()).rejects.toThrow('The application was shut down before all of it had started.');
    expect(log).toEqual([]);
  });
});

describe('a second stop', () => {
  it('waits for the first, and fails as it does', async () => {
    const { log, instances } = parts('ab', ['-b']);
    const lifecycle = new Lifecycle(instances);
    await lifecycle.start();
    const first = caught(lifecycle.stop());
    expect(await caught(lifecycle.stop())).toEqual(new Error('-b'));
    expect(log).toEqual(['+a', '+b', '-b', '-a']);
    expect(await first).toEqual(new Error('-b'));
  });
});

describe('half a start', () => {
  it('stops in reverse what had started, and throws the error of the start', async () => {
    const { log, instances } = parts('abcd', ['+c']);
    const lifecycle = new Lifecycle(instances);
    const error = await caught(lifecycle.start());
    expect(error).toEqual(new Error('+c'));
    expect(log).toEqual(['+a', '+b', '+c', '-b', '-a']);
    await lifecycle.stop();
    expect(log).toHaveLength(5);
  });

  it('carries the errors of stops that failed as well', async () => {
    const { log, instances } = parts('abc', ['+c', '-b']);
    const error = await caught(new Lifecycle(instances).start());
    expect(log).toEqual(['+a', '+b', '+c', '-b', '-a']);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      message: '+c',
      cause: new Error('+c'),
      errors: [new Error('+c'), new Error('-b')],
    });
  });

  it('is what a stop during a start leaves: the hook under way ends, no further one begins', async () => {
    const { log, instances } = parts('ab');
    const gate = Promise.withResolvers<void>();
    const slow: HasLifecycle = {
      onStartup: async () => {
        log.push('+slow');
        await gate.promise;
        log.push('slow is up');
      },
      onShutdown: () => void log.push('-slow'),
    };
    const lifecycle = new Lifecycle([instances[0], slow, instances[1]]);
    const started = caught(lifecycle.start());
    await expect.poll(() => log).toContain('+slow');
    const stopped = lifecycle.stop();
    gate.resolve();
    expect(await started).toMatchObject({ code: 'LIFECYCLE' });
    await stopped;
    expect(log).toEqual(['+a', '+slow', 'slow is up', '-slow', '-a']);
  });

  it('tells what failed in a start to who starts, and what failed in a stop to who stops', async () => {
    const { instances } = parts('ab', ['+b', '-a']);
    const lifecycle = new Lifecycle(instances);
    const started = caught(lifecycle.start());
    const stopped = caught(lifecycle.stop());
    expect(await started).toMatchObject({ code: 'LIFECYCLE' });
    expect(await stopped).toEqual(new Error('-a'));
  });

  it('stops too what its constructor had started, since it has no onStartup', async () => {
    const log: string[] = [];
    const pool = (name: string): HasLifecycle => ({ onShutdown: () => void log.push(`-${name}`) });
    const failing: HasLifecycle = {
      onStartup: () => Promise.reject(new Error('no')),
      onShutdown: () => void log.push('-f'),
    };
    await caught(new Lifecycle([pool('a'), failing, pool('b')]).start());
    expect(log).toEqual(['-b', '-a']);
    log.length = 0;
    await new Lifecycle([pool('a'), pool('b')]).stop();
    expect(log).toEqual(['-b', '-a']);
  });
});

describe('a stop that fails', () => {
  it('does not keep the others from stopping', async () => {
    const { log, instances } = parts('abc', ['-b']);
    const lifecycle = new Lifecycle(instances);
    await lifecycle.start();
    expect(await caught(lifecycle.stop())).toEqual(new Error('-b'));
    expect(log.slice(3)).toEqual(['-c', '-b', '-a']);
  });

  it('throws several errors as an AggregateError, in the order in which they happened', async () => {
    const { instances } = parts('abc', ['-b', '-a']);
    const lifecycle = new Lifecycle(instances);
    await lifecycle.start();
    const error = await caught(lifecycle.stop());
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ errors: [new Error('-b'), new Error('-a')] });
  });
});
