import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import type { Finding } from '../errors/configuration-error.ts';

const rooms = ['aggregates', 'processors', 'projections', 'sagas', 'middleware', 'upcasters', 'services'] as const;

/** The name of a folder that discovery looks into. */
export type Room = (typeof rooms)[number];

/** A file to import, and the nearest room around it. */
export interface Source {
  readonly path: string;
  readonly room: Room;
}

/** The files that discovery imports, sorted by path. A folder that cannot be read is a finding. */
export async function sources(folder: URL, typescript: boolean, findings: Finding[]): Promise<readonly Source[]> {
  if (folder.protocol !== 'file:') {
    const given = folder.href ?? inspect(folder); // a path, where no compiler looked
    findings.push({
      message: `conventionBased takes the URL of a folder, new URL('./my-app/', import.meta.url), not ${given}`,
    });
    return [];
  }
  const root = fileURLToPath(folder);
  try {
    const all = await scan(root, roomOf(basename(root)), typescript, new Set());
    // Found nothing, silently, would be found out at the first dispatch, far from here.
    if (all.length === 0 && !typescript && (await scan(root, roomOf(basename(root)), true, new Set())).length > 0)
      findings.push({
        message: `conventionBased finds only TypeScript in ${root}, and its caller is JavaScript: give it the folder of the compiled files`,
      });
    return onePerStem(all).sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (cause) {
    findings.push({ message: `conventionBased cannot read the folder ${root}: ${String(cause)}`, cause });
    return [];
  }
}

/** `seen` ends loops of symbolic links. A folder that links put into several rooms counts in each. */
async function scan(folder: string, room: Room | undefined, typescript: boolean, seen: Set<string>): Promise<Source[]> {
  const key = `${room}:${await realpath(folder)}`;
  if (seen.has(key)) return [];
  seen.add(key);
  const result: Source[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (/^[._]/.test(entry.name) || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry; // undefined: a dead link
    if (target?.isDirectory()) result.push(...(await scan(path, roomOf(entry.name) ?? room, typescript, seen)));
    else if (target?.isFile() && room !== undefined && isSource(entry.name, typescript))
      result.push({ path: await realpath(path), room }); // one path, one module: a second copy of a class is another class
  }
  return result;
}

function roomOf(name: string): Room | undefined {
  return rooms.find((room) => room === name);
}

function isSource(name: string, typescript: boolean): boolean {
  if (/\.(test|spec)\./.test(name) || /\.d\.([^.]+\.)?m?ts$/.test(name)) return false;
  return (typescript ? /\.m?[jt]s$/ : /\.m?js$/).test(name);
}

/** Of `x.ts` and the `x.js` compiled from it the first: it is the one that a TypeScript caller imports elsewhere. */
function onePerStem(all: readonly Source[]): Source[] {
  const byStem = new Map<string, Source>();
  for (const source of all.toSorted((a, b) => rank(a.path) - rank(b.path))) {
    const stem = source.path.replace(/\.m?[jt]s$/, '');
    if (!byStem.has(stem)) byStem.set(stem, source);
  }
  return [...byStem.values()];
}

function rank(path: string): number {
  return ['.ts', '.mts', '.js', '.mjs'].findIndex((ending) => path.endsWith(ending));
}
