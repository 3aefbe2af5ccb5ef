/** The base of every error this library throws. `code` is stable across releases; messages are not. */
export abstract class InterlockError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
