import type { EventProcessor } from '../blocks/event-processor.ts';
import type { Class, Command, Event } from '../message/types.ts';
import { type Check, holdsFor } from './check.ts';
import { deliverAgain } from './deliver-again.ts';
import { sameMessages } from './equality.ts';
import type { FakeClock } from './fake-clock.ts';
import { checkGiven, type GivenArgument, type GivenHeader, partsOf } from './given.ts';
import { nameFor, printMessages } from './print.ts';
import type { ProcessorStage } from './processor-stage.ts';
import type { Answer } from './recorded-commands.ts';
import { Scenario } from './scenario.ts';
import type { SequentialIds } from './sequential-ids.ts';
import { type Place, unmet } from './unmet.ts';

/**
 * A test of an event processor: events are given, one after the other, through the same call of its handlers as in deliveries;
 * then its state, and what it dispatched, are checked. Await it: it runs then.
 */
export class ProcessorScenario<P extends EventProcessor> extends Scenario {
  /** What its handlers are told the time by: `timestamp` is what it shows. It stands still unless a test moves it. */
  readonly clock: FakeClock;
  /** Where `newId` of its handlers comes from. */
  readonly ids: SequentialIds;
  readonly #stage: ProcessorStage;
  /** Where the commands begin that the next `shouldDispatch` is about, and whether one has looked at them. */
  #unchecked = 0;
  #checked = false;

  /** @internal */
  constructor(stage: ProcessorStage) {
    super(stage);
    this.#stage = stage;
    this.clock = stage.clock;
    this.ids = stage.ids;
  }

  /**
   * Events happen, in this order. The id of their aggregate, or all that their handlers are told about them, may come first.
   * Sequences count per aggregate. An event that the processor does not handle fails the scenario: it would test nothing. So
   * does a handler that throws, or returns `park` or `retryAfter`, unless `shouldFailWith` follows; the events behind the failed one
   * are not given then.
   */
  given(...events: Event[]): this;
  given(aggregateId: string, ...events: Event[]): this;
  given(header: GivenHeader, ...events: [Event, ...Event[]]): this;
  given(...all: readonly GivenArgument[]): this {
    const { header, events } = partsOf(all);
    return this.record('act', `.given(${events.map(nameFor).join(', ')})`, async (place) => {
      checkGiven({ header, events });
      if (this.#checked) this.#unchecked = this.#stage.commands.count;
      this.#checked = false;
      for (const [i, event] of events.entries()) {
        if (!this.#stage.handles(event)) throw this.#unhandled(place, event);
        const { sequence } = header;
        // The sequence is that of the first: the others follow it.
        await this.#stage.give(event, sequence === undefined ? header : { ...header, sequence: sequence + i });
      }
    });
  }

  /**
   * From here on a command of this class that a handler dispatches is answered so: by a result, or by an error, as if its
   * aggregate had refused. Without an answer the result is `undefined`.
   */
  answering<C extends Command>(type: Class<C>, answer: Answer<C>): this {
    return this.record('check', `.answering(${type.name})`, () => this.#stage.commands.answer(type, answer));
  }

  /** The check looks at the processor: it returns true, or nothing, where all is well, and false or throws where not. */
  shouldHaveState(check: Check<P>): this {
    return this.record('check', '.shouldHaveState()', (place) =>
      this.#stage.look(() => holdsFor(this.#stage.subject as P, check, place)),
    );
  }

  /**
   * Exactly these commands were dispatched, in this order; without arguments: none. It is about all commands since the last
   * `shouldDispatch` that events were given after. Commands are recorded and not run.
   */
  shouldDispatch(...commands: Command[]): this {
    const text = `.shouldDispatch(${commands.map(nameFor).join(', ')})`;
    return this.record('check', text, (place) => {
      this.#checked = true;
      const dispatched = this.#stage.commands.commands.slice(this.#unchecked);
      if (sameMessages(dispatched, commands)) return;
      throw unmet(place, {
        what: 'other commands were dispatched',
        expected: commands,
        actual: dispatched,
        wanted: printMessages(commands),
        found: printMessages(dispatched),
      });
    });
  }

  /**
   * Delivers all events that were given and handled again, in their order, as after a crash between handler and checkpoint.
   * Nothing may change by it: no field of the processor nor of anything reachable from it through own properties, fakes
   * included, no row written through a session, and no further command may be dispatched. What lies in `#private` fields or
   * in variables cannot be seen: check it with `shouldHaveState`.
   */
  shouldBeIdempotent(): this {
    return this.record('check', '.shouldBeIdempotent()', (place) => deliverAgain(this.#stage, place));
  }

  #unhandled(place: Place, event: Event): Error {
    const name = nameFor(event);
    const handled = this.#stage.handled('event');
    return unmet(place, {
      what: `it does not handle ${name}, so giving it tests nothing`,
      expected: handled,
      actual: name,
      wanted: handled,
      found: name,
    });
  }
}
