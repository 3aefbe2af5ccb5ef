import Database from 'better-sqlite3';
import { type HasLifecycle, inject } from 'interlock-cqrs';
import { Settings } from '../settings.js';
import { SearchIndex } from './search-index.js';

/**
 * Stands in for a search server: the full-text search of SQLite, in a file of its own. The application's transactions do not
 * reach it, as they would not reach a server.
 */
export class FullTextIndex extends SearchIndex implements HasLifecycle {
  static provides = SearchIndex;
  readonly #known = new Set<string>();
  #db: Database.Database | undefined;

  constructor(private readonly settings = inject(Settings)) {
    super();
  }

  onStartup(): void {
    this.#db = new Database(`${this.settings.db}-search`);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = NORMAL');
    this.#db.exec('create virtual table if not exists documents using fts5(id unindexed, text)');
    for (const id of this.#db.prepare('select id from documents').pluck().all()) this.#known.add(id as string);
  }

  onShutdown(): void {
    this.#db?.close();
  }

  async add(id: string, text: string): Promise<void> {
    if (this.#known.has(id)) return;
    this.#db?.prepare('insert into documents (id, text) values (?, ?)').run(id, text);
    this.#known.add(id);
  }

  async search(words: string): Promise<string[]> {
    // Quoted, each word is a word, whatever it means in the query language of FTS5.
    const all = words.split(/\s+/).filter((word) => word !== '');
    const query = all.map((word) => `"${word.replaceAll('"', '""')}"`).join(' ');
    const statement = this.#db?.prepare('select id from documents where documents match ? order by id').pluck();
    return query === '' ? [] : ((statement?.all(query) ?? []) as string[]);
  }
}
