// A rule that cannot fail is a defect: plants one violation of every rule of .dependency-cruiser.mjs in a folder of its
// own and expects each to be caught.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import config from '../.dependency-cruiser.mjs';
import { cruise } from './cruise.ts';

const { forbidden } = config;
const rules = forbidden.map((rule): string => rule.name);
const ranks = forbidden.flatMap(({ name, to }) =>
  name.startsWith('rank-of-') ? [{ room: name.slice('rank-of-'.length), visible: new RegExp(String(to.pathNot)) }] : [],
);
const fileIn = (room: string): string => `src/${room.endsWith('.ts') ? room : `${room}/room.ts`}`;
const roomFiles = ranks.map(({ room }) => fileIn(room));

const files = new Map<string, string>(roomFiles.map((file) => [file, 'export type Room = string;\n']));
function plant(from: string, to: string, kind: 'import' | 'import type' = 'import'): void {
  const specifier = /^(src|test)\//.test(to)
    ? relative(dirname(from), to)
        .replaceAll('\\', '/')
        .replace(/^(?!\.)/, './')
    : to;
  const statement = kind === 'import' ? `import '${specifier}';` : `import type {} from '${specifier}';`;
  files.set(from, `${files.get(from) ?? 'export {};\n'}${statement}\n`);
}

for (const { room, visible } of ranks) {
  const forbiddenFile = roomFiles.find((file) => !visible.test(file));
  if (forbiddenFile === undefined) throw new Error(`rank-of-${room} forbids nothing`);
  plant(fileIn(room), forbiddenFile); // rank-of-*
  plant(fileIn(room), 'zod'); // packages-of-*
}
plant('src/index.ts', 'src/adapters/sqlite/room.ts'); // front-door
plant('src/attic/room.ts', 'src/errors/room.ts'); // known-room
plant('src/message/schema.ts', '@standard-schema/spec'); // standard-schema-is-types
plant('src/message/borrowed.ts', 'test/helper.ts'); // src-stands-alone
plant('test/helper.ts', 'zod');
plant('src/message/lost.ts', 'src/message/nowhere.ts'); // resolvable
plant('src/message/hen.ts', 'src/message/egg.ts', 'import type'); // no-cycles
plant('src/message/egg.ts', 'src/message/hen.ts', 'import type');

const folder = mkdtempSync(join(tmpdir(), 'interlock-selftest-'));
try {
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.base.json', '.dependency-cruiser.mjs'])
    cpSync(file, join(folder, file));
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'), 'junction');
  for (const [file, content] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  const { summary } = await cruise(folder);
  const caught = new Set(summary.violations.map((violation) => violation.rule.name));
  const missed = rules.filter((name) => !caught.has(name));
  for (const name of missed) console.error(`not caught: ${name}`);
  if (missed.length > 0) process.exitCode = 1;
  else console.log(`${rules.length} rules, each caught its planted violation`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
