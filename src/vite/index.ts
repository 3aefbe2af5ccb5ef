import { transform } from 'esbuild';

/** What Vite and Vitest need to see of the plugin. Structural, so that this door asks for no `vite` and fits every major version of it. */
export interface InterlockPlugin {
  readonly name: string;
  readonly enforce: 'pre';
  config(config: object, env: { readonly command: 'serve' | 'build' }): { ssr: { noExternal: string[] } } | undefined;
  transform(code: string, id: string): Promise<{ code: string; map: string } | undefined>;
}

const typescript = /\.[cm]?ts(x?)$/;

/**
 * Lowers standard decorators for Vite and Vitest, which pass them on as they are, to a Node that cannot parse them.
 *
 * ```ts
 * // vitest.config.ts
 * import { interlock } from 'interlock-cqrs/vite';
 * import { defineConfig } from 'vitest/config';
 *
 * export default defineConfig({ plugins: [interlock()] });
 * ```
 *
 * Needs `esbuild` (an optional peer dependency). Only TypeScript files that contain an `@` are touched. Who writes
 * `routes(this)` instead of decorators needs the plugin for `conventionBased` only: with it, what is discovered in a test or
 * by a development server is imported through Vite, as all other files are; without it by Node, as a second copy.
 */
export function interlock(): InterlockPlugin {
  return {
    name: 'interlock-cqrs:decorators',
    // Before Vite's own TypeScript step: that one removes the types and leaves the decorators, and then it is too late.
    enforce: 'pre',
    // A package is left to Node, and so would be the imports that it makes for `conventionBased`. Not in a build, where
    // folders are no more.
    config: (_config, { command }) => (command === 'serve' ? { ssr: { noExternal: ['interlock-cqrs'] } } : undefined),
    async transform(code, id) {
      const [file = id] = id.split('?', 1);
      const match = typescript.exec(file);
      if (match === null || !code.includes('@')) return undefined;
      const lowered = await transform(code, {
        sourcefile: file,
        loader: match[1] === 'x' ? 'tsx' : 'ts',
        // The newest target that esbuild lowers decorators for and that keeps class fields native.
        target: 'es2022',
        sourcemap: 'external',
        // Said here, because a tsconfig.json with experimentalDecorators must not turn them into the legacy kind.
        tsconfigRaw: { compilerOptions: { experimentalDecorators: false } },
      });
      return { code: lowered.code, map: lowered.map };
    },
  };
}
