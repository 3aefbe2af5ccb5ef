import { transform } from 'esbuild';

/** What Vite and Vitest need to see of the plugin. Structural, so that this door asks for no `vite` and fits every major version of it. */
export interface InterlockPlugin {
  readonly name: string;
  readonly enforce: 'pre';
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
 * Needs `esbuild` (an optional peer dependency). Only TypeScript files that contain an `@` are touched; who writes
 * `routes(this)` instead of decorators needs no plugin.
 */
export function interlock(): InterlockPlugin {
  return {
    name: 'interlock-cqrs:decorators',
    // Before Vite's own TypeScript step: that one removes the types and leaves the decorators, and then it is too late.
    enforce: 'pre',
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
