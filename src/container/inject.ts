import { UsageError } from '../errors/usage-error.ts';
import { type Token, tokenName } from './token.ts';

/** Answers `inject` while something is being constructed. */
export interface Resolver {
  resolve<T>(token: Token<T>): T;
}

// A plain variable, not AsyncLocalStorage: construction is synchronous, and `inject` after an `await` has to be refused.
let current: Resolver | undefined;

/**
 * What the container provides for `token`. It works during construction only: as the default of a constructor parameter,
 * in a field, or in a factory before its first `await`.
 *
 * Call it before anything that has an effect. Where the factory of a dependency is still under way, the container leaves the
 * constructor (or factory) at this call, by throwing, and runs it again later: what stands before the call runs twice, what
 * stands behind it once. Defaults of parameters run before the body, so a body never runs twice. Nor does catching help:
 * what was constructed around a caught `inject` is thrown away.
 * @throws UsageError anywhere else.
 */
export function inject<T>(token: Token<T>): T {
  if (current === undefined)
    throw new UsageError(
      `inject(${tokenName(token)}) works only while the container constructs something: as the default of a constructor ` +
        'parameter, in a field, or in a factory before its first await. Elsewhere use what the constructor was given; ' +
        'in a test, give it yourself: new MyProcessor(fake).',
    );
  return current.resolve(token);
}

/** Runs `make` so that `inject` is answered by `resolver`; constructions nest. */
export function resolving<T>(resolver: Resolver, make: () => T): T {
  const outer = current;
  current = resolver;
  try {
    return make();
  } finally {
    current = outer;
  }
}
