import { getCallSites } from 'node:util';

const typescript = /\.[cm]?tsx?(\?|$)/;

/**
 * Whether the method that calls this was itself called from a TypeScript file: one run by Node's type stripping, by Vitest or
 * by a loader; or from code without a file, which is how the development server of Vite evaluates sources. To be called directly by that method, and before its first `await`: later its caller is off the stack.
 */
export function calledFromTypeScript(): boolean {
  // Not through source maps: compiled JavaScript comes from TypeScript that need not be there at run time.
  const [, , caller] = getCallSites(3, { sourceMap: false });
  return caller !== undefined && (caller.scriptName === '' || typescript.test(caller.scriptName));
}
