import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };
import { interlock } from './src/vite/index.ts';

// Tests import the package by its name and get src, not dist: stack traces and coverage speak of the code one edits.
const doors = Object.entries(manifest.exports).flatMap(([door, target]) => {
  if (typeof target === 'string') return [];
  const source = target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts');
  const name = door.replace('.', manifest.name);
  return { find: new RegExp(`^${name}$`), replacement: fileURLToPath(new URL(source, import.meta.url)) };
});

export default defineConfig({
  plugins: [interlock()],
  resolve: { alias: doors },
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // Processes, not threads: tests open SQLite files, kill workers and change process state.
    pool: 'forks',
    testTimeout: 20_000,
  },
});
