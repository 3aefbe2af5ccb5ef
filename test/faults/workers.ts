import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';

/** A child process that a test may kill or freeze. */
export class Worker {
  readonly lines: string[] = [];
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;

  constructor(orders: object) {
    const program = fileURLToPath(new URL('worker.ts', import.meta.url));
    this.#child = spawn(process.execPath, [program, JSON.stringify(orders)], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.lines.push(line));
    this.exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async says(line: string): Promise<void> {
    await until(() => this.lines.includes(line) || this.#child.exitCode !== null, `a worker says ${line}`);
    if (!this.lines.includes(line)) throw new Error(`a worker ended before it said ${line}`);
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Asks it to stop and waits until it has. */
  async stop(): Promise<void> {
    this.#child.stdin!.write('stop\n');
    await this.exited;
  }
}

/** A folder with a database, and workers on it that do not outlive it. */
export class Place implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'faults-'));
  readonly #workers: Worker[] = [];
  readonly file = join(this.#folder, 'test.db');

  worker(orders: object): Worker {
    const worker = new Worker({ file: this.file, ...orders });
    this.#workers.push(worker);
    return worker;
  }

  rows<Row>(sql: string): Row[] {
    const db = new Database(this.file, { readonly: true });
    try {
      return db.prepare(sql).all() as Row[];
    } finally {
      db.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Polls until `check` is true. */
export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  milliseconds = 15_000,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
