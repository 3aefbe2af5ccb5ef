/** What an error says. Anything may be thrown, also what cannot be printed: nothing here throws. */
export function messageOf(error: unknown): string {
  try {
    const message: unknown = error instanceof Error ? error.message : error;
    return String(message);
  } catch {
    return 'something was thrown that cannot be printed';
  }
}

/** Anything may be thrown, a revoked proxy too, of which not even `instanceof` can be asked. */
export function inspectable(error: unknown): unknown {
  try {
    void (error instanceof Error);
    return error;
  } catch {
    return new Error('something was thrown that cannot be looked at');
  }
}
