import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HasLifecycle, inject } from 'interlock-cqrs';
import { Settings } from '../settings.js';
import { type Mail, Outbox } from './outbox.js';

/** Puts each mail into a file of its own. */
export class FolderOutbox extends Outbox implements HasLifecycle {
  static provides = Outbox;

  constructor(private readonly settings = inject(Settings)) {
    super();
  }

  async onStartup(): Promise<void> {
    await mkdir(this.settings.outbox, { recursive: true });
  }

  /** Written aside and renamed: a file that is there is complete, whenever the process died. */
  async send({ id, to, subject, body }: Mail): Promise<void> {
    const aside = join(this.settings.outbox, `.${id}.part`);
    await writeFile(aside, `To: ${to}\nSubject: ${subject}\n\n${body}\n`, { flush: true });
    await rename(aside, join(this.settings.outbox, `${id}.eml`));
  }

  async count(): Promise<number> {
    const files = await readdir(this.settings.outbox);
    return files.filter((file) => file.endsWith('.eml')).length;
  }
}
