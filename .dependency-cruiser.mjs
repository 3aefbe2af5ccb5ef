// The rooms of src, lowest rank first: an arrow points only down, or sideways where `sideways` says so.
// Everything below is generated from these three tables; `npm run check:selftest` proves that each rule catches something.
const ranks = [
  { rooms: ['errors'] },
  { rooms: ['message', 'telemetry'], sideways: true },
  { rooms: ['blocks'] },
  { rooms: ['routing', 'ports', 'context', 'container', 'adapters/memory'], sideways: true },
  { rooms: ['aggregate', 'processing', 'query', 'middleware'] },
  { rooms: ['command', 'delivery'], sideways: true },
  { rooms: ['testing'] },
  { rooms: ['application'] },
  { rooms: ['admin', 'adapters/sqlite', 'conformance'] },
  { rooms: ['index.ts', 'cli'] },
];

// Rooms that see less than their rank allows.
const narrower = {
  'adapters/memory': ['ports', 'message', 'errors', 'telemetry'],
  'adapters/sqlite': ['ports', 'message', 'errors', 'telemetry'],
  vite: [],
};

// The npm packages of a room; the others have those of `core`.
const core = ['lru-cache', '@standard-schema/spec'];
const packages = { 'adapters/sqlite': ['better-sqlite3'], vite: ['esbuild'] };

const doors = ['adapters/sqlite', 'conformance', 'vite'];
const rooms = [...ranks.flatMap((rank) => rank.rooms), 'vite'];

const below = ranks.flatMap(({ rooms: level, sideways }, at) =>
  level.map((room) => [room, [...ranks.slice(0, at).flatMap((rank) => rank.rooms), ...(sideways ? level : [])]]),
);
const visible = { ...Object.fromEntries(below), ...narrower };

const inRoom = (names) => `^src/(${names.map((name) => (name.includes('.') ? `${name}$` : `${name}/`)).join('|')})`;
const inPackage = (names) => `node_modules/(@types/)?(${names.join('|')})/`;

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    ...rooms.map((room) =>
      rule(
        `rank-of-${room}`,
        `${room} sees only: ${visible[room].join(', ') || 'itself'}`,
        { path: inRoom([room]) },
        { path: '^src/', pathNot: inRoom([room, ...visible[room]]) },
      ),
    ),
    ...rooms.map((room) =>
      rule(
        `packages-of-${room}`,
        `${room} uses only: ${(packages[room] ?? core).join(', ')}`,
        { path: inRoom([room]) },
        { path: 'node_modules/', pathNot: inPackage(packages[room] ?? core) },
      ),
    ),
    rule(
      'front-door',
      'who imports the front door does not load what has a door of its own',
      { path: inRoom(['index.ts']) },
      { path: inRoom(doors) },
    ),
    rule('known-room', 'a new folder gets its place in the ranks first', { path: '^src/', pathNot: inRoom(rooms) }, {}),
    rule(
      'standard-schema-is-types',
      'the specification has no code to run',
      { path: '^src/' },
      {
        path: inPackage(['@standard-schema/spec']),
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule(
      'src-stands-alone',
      'src is what is published: no tests, no dist, no tools',
      { path: '^src/' },
      {
        path: '^(?!src/)',
        pathNot: 'node_modules/',
        dependencyTypesNot: ['core', 'unknown'],
      },
    ),
    rule('resolvable', 'the import leads nowhere', { path: '^src/' }, { couldNotResolve: true }),
    rule('no-cycles', 'imports of types alone count too', { path: '^src/' }, { circular: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
