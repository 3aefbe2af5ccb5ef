import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

/** The TypeScript blocks of a document, in order. */
async function blocks(document: string): Promise<string[]> {
  const text = await readFile(join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
}

describe('README', () => {
  it('has code that runs as it stands', async () => {
    const [first, second, third] = await blocks('README.md');
    // Below the project, so that the package resolves by its own name as it does for a user.
    const folder = await mkdtemp(join(root, 'test/docs/.readme-'));
    try {
      const program = `${first}\n${second}\n${third}
await using stored = await onDisk.build();
await stored.startup();
await stored.dispatch(new DepositMoney({ aggregateId: 'a', amount: 7 }));
console.log(await stored.dispatch(new DepositMoney({ aggregateId: 'a', amount: 5 })));\n`;
      const { code } = await transform(program, { loader: 'ts', target: 'es2022', format: 'esm' });
      const file = join(folder, 'program.mjs');
      await writeFile(file, code);
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
      expect(stdout.trim().split('\n')).toEqual(['100', '12']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('links to files that exist', async () => {
    for (const document of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md']) {
      const text = await readFile(join(root, document), 'utf8');
      for (const [, target] of text.matchAll(/\]\(([^)#:]+)\)/g)) await readFile(join(root, target!));
    }
  });
});
