import type { Command, ResultOf } from '../message/types.ts';
import type { Scope } from './scope.ts';

/** How handlers send commands without knowing who handles them. */
export interface Dispatcher {
  /** Dispatches `command` as caused by `scope`, once for `key`; joins the scope's transaction if one is open. */
  dispatch<C extends Command>(command: C, key: string, scope: Scope): Promise<ResultOf<C>>;
  /** The result that an earlier dispatch under `key` had; `undefined` if none is kept. */
  kept<C extends Command>(command: C, key: string, scope: Scope): Promise<{ readonly result: ResultOf<C> } | undefined>;
}
