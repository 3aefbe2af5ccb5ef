import type { Aggregate } from '../blocks/aggregate.ts';
import { UsageError } from '../errors/usage-error.ts';
import { messageClassOf } from '../message/message.ts';
import type { Command, Event, ResultOf } from '../message/types.ts';
import type { AggregateStage, Outcome, WhenHeader } from './aggregate-stage.ts';
import { type Check, holdsFor } from './check.ts';
import { sameMessages, sameValue } from './equality.ts';
import type { FakeClock } from './fake-clock.ts';
import { checkGiven } from './given.ts';
import { nameFor, print, printMessages } from './print.ts';
import { Scenario } from './scenario.ts';
import type { SequentialIds } from './sequential-ids.ts';
import { unmet } from './unmet.ts';

/**
 * A test of an aggregate: a history is given, commands come, and what they emit, return and leave behind is checked. Await it:
 * it runs then. Every command meets an aggregate made from its events alone, so what a handler changes without an event is lost.
 */
export class AggregateScenario<A extends Aggregate, R = never> extends Scenario {
  /** What `timestamp` of commands comes from. It stands still unless a test moves it. */
  readonly clock: FakeClock;
  /** Where `newId` of its handlers comes from. */
  readonly ids: SequentialIds;
  readonly #stage: AggregateStage;
  #addressed = false;
  #outcome: Outcome | undefined;

  /** @internal */
  constructor(stage: AggregateStage) {
    super(stage);
    this.#stage = stage;
    this.clock = stage.clock;
    this.ids = stage.ids;
  }

  /** Its history so far, in this order. */
  given(...events: Event[]): this {
    return this.record('act', `.given(${events.map(nameFor).join(', ')})`, () => {
      checkGiven({ header: {}, events });
      this.#stage.give(events);
    });
  }

  /**
   * A command comes; the ones after it meet what it left behind. The aggregate's id is that of the first command, and the
   * others go there too. An error of its handler fails the scenario, unless `shouldFailWith` follows.
   */
  when<C extends Command>(command: C, header: WhenHeader = {}): AggregateScenario<A, ResultOf<C>> {
    const text = `.when(${nameFor(command)})`;
    if (this.#addressed && command.aggregateId !== this.#stage.id)
      throw new UsageError(
        `${text} goes to '${command.aggregateId}', but this scenario is about '${this.#stage.id}': begin another one.`,
      );
    const told = this.record('act', text, async (place) => {
      this.#outcome = { emitted: [], result: undefined };
      if (!this.#stage.handles(command)) {
        const { handled } = this.#stage;
        throw unmet(place, {
          what: `it does not handle ${messageClassOf(command).messageName}`,
          expected: handled,
          actual: nameFor(command),
          wanted: handled,
          found: nameFor(command),
        });
      }
      this.#outcome = await this.#stage.run(command, header);
    });
    this.#addressed = true;
    this.#stage.id = command.aggregateId;
    return told as unknown as AggregateScenario<A, ResultOf<C>>;
  }

  /** The last command emitted exactly these events, in this order; without arguments: none. */
  shouldEmit(...events: Event[]): this {
    const text = `.shouldEmit(${events.map(nameFor).join(', ')})`;
    this.#refuseWithoutCommand(text);
    return this.record('check', text, (place) => {
      const emitted = this.#outcome?.emitted ?? [];
      if (sameMessages(emitted, events)) return;
      throw unmet(place, {
        what: 'other events were emitted',
        expected: events,
        actual: emitted,
        wanted: printMessages(events),
        found: printMessages(emitted),
      });
    });
  }

  /** The last command returned this, deeply equal. */
  shouldReturn(value: R): this {
    const text = `.shouldReturn(${print(value)})`;
    this.#refuseWithoutCommand(text);
    return this.record('check', text, (place) => {
      const result = this.#outcome?.result;
      if (!this.failed && sameValue(result, value)) return;
      throw unmet(place, {
        what: this.failed ? 'the command failed' : 'it returned something else',
        expected: value,
        actual: result,
        ...(this.failed && { found: 'an error' }),
      });
    });
  }

  /** The check looks at the aggregate: it returns true, or nothing, where all is well, and false or throws where not. */
  shouldHaveState(check: Check<A>): this {
    return this.record('check', '.shouldHaveState()', (place) => holdsFor(this.#stage.state as A, check, place));
  }

  #refuseWithoutCommand(text: string): void {
    if (!this.#addressed) throw new UsageError(`${text} is about a command: .when(…) first.`);
  }
}
