/** A search engine, as far as this application needs one. A token, like `Outbox`. */
export abstract class SearchIndex {
  /** Makes a document findable. Doing so again changes nothing. */
  abstract add(id: string, text: string): Promise<void>;
  /** The ids of all documents that hold all of these words. */
  abstract search(words: string): Promise<string[]>;
}
