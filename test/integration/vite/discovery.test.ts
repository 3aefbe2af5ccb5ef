import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const files = {
  // Of its own, or the package's name would mean the repository around it.
  'package.json': '{ "name": "bank", "private": true, "type": "module" }',
  'vitest.config.ts': `
    import { interlock } from 'interlock-cqrs/vite';
    export default { plugins: [interlock()], test: { include: ['*.check.ts'] } };`,
  'app/messages.ts': `
    import { Command, Event } from 'interlock-cqrs';
    export class Deposited extends Event('bank.Deposited')<{ amount: number }> {}
    export class Deposit extends Command('bank.Deposit')<{ amount: number }, number> {}`,
  'app/aggregates/account.ts': `
    import { Aggregate, appliesEvent, handlesCommand } from 'interlock-cqrs';
    import { Deposit, Deposited } from '../messages.js';
    export class Account extends Aggregate {
      static aggregateType = 'bank.Account';
      constructor(private balance = 0) { super(); }
      @handlesCommand(Deposit) deposit({ amount }: Deposit): number {
        this.emit(new Deposited({ amount }));
        return this.balance;
      }
      @appliesEvent(Deposited) deposited({ amount }: Deposited): void { this.balance += amount; }
    }`,
  'bank.check.ts': `
    import { ApplicationBuilder } from 'interlock-cqrs';
    import { expect, test } from 'vitest';
    import { Account } from './app/aggregates/account.js';
    import { Deposit } from './app/messages.js';
    test('discovers the very classes that the test imports', async () => {
      await using app = await new ApplicationBuilder().conventionBased(new URL('./app/', import.meta.url)).build();
      await app.startup();
      expect(await app.dispatch(new Deposit({ aggregateId: 'a', amount: 7 }))).toBe(7);
      expect(await app.load(Account, 'a')).toBeInstanceOf(Account);
    });`,
  'server.js': `
    import { interlock } from 'interlock-cqrs/vite';
    import { createServer } from 'vite';
    const server = await createServer({ configFile: false, plugins: [interlock()], server: { middlewareMode: true }, appType: 'custom' });
    const { serve } = await server.ssrLoadModule('/app/serve.ts');
    console.log(await serve());
    await server.close();`,
  'app/serve.ts': `
    import { ApplicationBuilder } from 'interlock-cqrs';
    import { Deposit } from './messages.js';
    export async function serve(): Promise<number> {
      await using app = await new ApplicationBuilder().conventionBased(new URL('./', import.meta.url)).build();
      await app.startup();
      return app.dispatch(new Deposit({ aggregateId: 'a', amount: 7 }));
    }`,
};

let project: string;

beforeEach(async () => {
  // Below the repository, so that vitest and esbuild are found; the package as it is installed, which Vite leaves to Node.
  project = await mkdtemp(join(root, 'test/integration/vite/.project-'));
  const installed = join(project, 'node_modules/interlock-cqrs');
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
});
afterEach(() => rm(project, { recursive: true, force: true }));

it('with the plugin conventionBased finds decorated TypeScript under Vitest, in an installed package', async () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const run = promisify(execFile)(process.execPath, [vitest, 'run'], {
    cwd: project,
    env: { ...process.env, CI: '1' },
  });
  const { stdout } = await run.catch((failed: { stdout: string; stderr: string }) => failed);
  expect(stdout).toMatch(/Tests.*1 passed/);
});

it('with the plugin conventionBased finds decorated TypeScript under the development server of Vite', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['server.js'], { cwd: project });
  expect(stdout).toMatch(/^7$/m);
});
