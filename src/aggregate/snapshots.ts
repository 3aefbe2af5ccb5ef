import { messageOf } from '../errors/message-of.ts';
import type { Logger } from '../telemetry/logger.ts';
import { decode, encode } from '../message/codec.ts';
import type { StreamId } from '../message/recorded-event.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { HostedAggregate } from './hosted-aggregate.ts';

/** Writes and reads snapshots. They are hints: whatever goes wrong here never fails a command. */
export class Snapshots {
  readonly #store: SnapshotStore;
  readonly #logger: Logger;
  readonly #underWay = new Set<Promise<void>>();
  readonly #warned = new Set<string>();

  constructor(store: SnapshotStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** An aggregate at its snapshot, or a fresh one where there is none that fits. */
  async restore(stream: StreamId, fresh: () => HostedAggregate): Promise<HostedAggregate> {
    const hosted = fresh();
    try {
      const snapshot = await this.#store.find(stream);
      if (snapshot === undefined) return hosted;
      const { class: type, snapshotVersion } = hosted.definition;
      if (snapshot.version !== snapshotVersion) {
        this.#warn(hosted, `ignored: it is of snapshotVersion ${snapshot.version}, ${type.name} of ${snapshotVersion}`);
        return hosted;
      }
      const state = decode(snapshot.state.data, snapshot.state.types) as {
        custom?: never;
        fields?: Record<string, unknown>;
      };
      if (!fits(hosted, state)) {
        this.#warn(
          hosted,
          `ignored: its fields are not those of ${type.name}; raise static snapshotVersion when they change`,
        );
        return hosted;
      }
      if (hosted.aggregate.restore === undefined) Object.assign(hosted.aggregate, state.fields);
      else hosted.aggregate.restore(state.custom as never);
      hosted.version = snapshot.sequence;
      return hosted;
    } catch (error) {
      this.#warn(hosted, `not read: ${message(error)}`);
      return fresh();
    }
  }

  /** Encodes now, since the next command changes the instance, and stores later, since nobody waits for it. */
  save(hosted: HostedAggregate, stream: StreamId): void {
    const { aggregate, definition, version } = hosted;
    const write = async (): Promise<void> => {
      const state = encode(
        // oxlint-disable-next-line typescript/no-misused-spread -- its own fields are what is wanted
        aggregate.snapshot === undefined ? { fields: { ...aggregate } } : { custom: aggregate.snapshot() },
        'the state',
      );
      await this.#store.save(stream, { sequence: version, version: definition.snapshotVersion, state });
    };
    const saving = write().catch((error: unknown) => this.#warn(hosted, `not stored: ${message(error)}`));
    this.#underWay.add(saving);
    void saving.then(() => this.#underWay.delete(saving));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #warn({ definition }: HostedAggregate, what: string): void {
    const text = `A snapshot of ${definition.type} was ${what}.`;
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#logger.warn(text, { aggregateType: definition.type });
  }
}

function fits(hosted: HostedAggregate, state: { custom?: unknown; fields?: Record<string, unknown> }): boolean {
  if (hosted.aggregate.restore !== undefined) return 'custom' in state;
  if (state.fields === undefined) return false;
  const mine = Object.keys(hosted.aggregate).sort();
  const theirs = Object.keys(state.fields).sort();
  return mine.length === theirs.length && mine.every((name, i) => name === theirs[i]);
}

function message(error: unknown): string {
  return messageOf(error).replace(/\.$/, '');
}
