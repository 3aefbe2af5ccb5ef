import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

// What a project exports without writing its types: the compiler must find a door for each name that it writes down.
const exported = `
import { appliesEvent, type Application, type DeadLetters, Event, type EventContext, intercepts, Command, memory, type ProcessorOptions } from 'interlock-cqrs';
import { sqlite } from 'interlock-cqrs/sqlite';
export class Deposited extends Event('bank.Deposited')<{ amount: number }> {}
export const inMemory = memory();
export const onDisk = () => sqlite({ file: 'bank.db' });
export const parked = (letters: DeadLetters) => letters.list();
export const delivery = ({ delivery, sequenceBy }: ProcessorOptions) => ({ delivery, sequenceBy });
export const follow = ({ dispatch }: EventContext) => dispatch;
export const doors = ({ dispatch, query }: Application) => ({ dispatch, query });
export const audited = intercepts(Command);
export const applied = appliesEvent(Deposited);
`;

let project: string;

beforeEach(async () => {
  // Below the repository, so that the compiler is found.
  project = await mkdtemp(join(root, 'test/integration/package/.project-'));
  const installed = join(project, 'node_modules/interlock-cqrs');
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
  const options = { target: 'es2024', module: 'nodenext', strict: true, exactOptionalPropertyTypes: true };
  const compilerOptions = {
    ...options,
    declaration: true,
    skipLibCheck: false,
    rootDir: '.',
    outDir: 'out',
    types: ['node'],
  };
  await writeFile(join(project, 'package.json'), '{ "name": "bank", "private": true, "type": "module" }');
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['bank.ts'] }));
  await writeFile(join(project, 'bank.ts'), exported);
});
afterEach(() => rm(project, { recursive: true, force: true }));

it('every type that the doors give out has a name behind a door', async () => {
  const compiler = join(root, 'node_modules/@typescript/native/bin/tsc');
  const run = promisify(execFile)(process.execPath, [compiler, '-p', project]);
  const { stdout } = await run.catch((failed: { stdout: string }) => failed);
  expect(stdout).toBe('');
  expect(await readFile(join(project, 'out/bank.d.ts'), 'utf8')).not.toMatch(/import\("\.|interlock-cqrs\/dist/);
});
