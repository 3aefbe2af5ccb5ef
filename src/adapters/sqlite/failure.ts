import { StoreError, type StoreErrorCode } from '../../errors/store-error.ts';

type Advice = readonly [code: StoreErrorCode, what: string, advice: string];

const RETRY = 'Nothing was written; try again once that is so.';

/** By the driver's code, or how it begins. */
const KNOWN: readonly (readonly [prefix: string, ...Advice])[] = [
  [
    'SQLITE_NOTADB',
    'STORE_NOT_A_DATABASE',
    'the file is not a SQLite database',
    'Give the path of one, or of a file that does not exist yet.',
  ],
  [
    'SQLITE_CANTOPEN',
    'STORE_CANNOT_OPEN',
    'the file cannot be opened',
    'Its folder must exist, and this process must be allowed to read and write in it.',
  ],
  [
    'SQLITE_PERM',
    'STORE_CANNOT_OPEN',
    'access to the file is denied',
    'This process must be allowed to read and write it.',
  ],
  ['SQLITE_BUSY', 'STORE_LOCKED', 'another process holds the lock on the file', RETRY],
  ['SQLITE_LOCKED', 'STORE_LOCKED', 'another connection holds the lock on the file', RETRY],
  ['SQLITE_PROTOCOL', 'STORE_LOCKED', 'the lock on the file cannot be had', RETRY],
  [
    'SQLITE_READONLY',
    'STORE_READ_ONLY',
    'the file cannot be written',
    'This process must be allowed to write the file and its folder. Nothing was written.',
  ],
  ['SQLITE_FULL', 'STORE_FULL', 'the disk is full', 'Nothing was written; make room and try again.'],
  [
    'SQLITE_CORRUPT',
    'STORE_CORRUPT',
    'the file is damaged',
    'Restore it from a backup; `PRAGMA integrity_check` says what is wrong.',
  ],
  [
    'SQLITE_IOERR',
    'STORE_IO',
    'the operating system cannot read or write the file',
    'Nothing was written; see the cause.',
  ],
];

/** What went wrong with the file, typed; any other error, a violated constraint for one, is given back as it is. */
export function storeError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const code = codeOf(error) ?? (error.message.includes('directory does not exist') ? 'SQLITE_CANTOPEN' : '');
  const known = KNOWN.find(([prefix]) => code.startsWith(prefix));
  if (known === undefined) return error;
  const [, type, what, advice] = known;
  return new StoreError(type, file, what, advice, { cause: error });
}

/** The driver's code of an error, such as `SQLITE_BUSY`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isBusy(error: unknown): boolean {
  return codeOf(error)?.startsWith('SQLITE_BUSY') === true;
}
