import type { Event, Class, Command, Query, ResultOf } from '../message/types.ts';
import type { EventProcessor, Projection } from '../blocks/event-processor.ts';
import { UsageError } from '../errors/usage-error.ts';
import { type Check, holdsFor } from './check.ts';
import { sameMessages, sameValue } from './equality.ts';
import type { FakeClock } from './fake-clock.ts';
import { checkGiven, type GivenArgument, type GivenHeader, partsOf } from './given.ts';
import { Picture } from './picture.ts';
import { nameFor, print, printMessages } from './print.ts';
import type { ProcessorStage } from './processor-stage.ts';
import type { Answer } from './recorded-commands.ts';
import { Scenario, SubjectFailed } from './scenario.ts';
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
      this.#stage.look(() => holdsFor(this.#subject, check, place)),
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
    return this.record('check', '.shouldBeIdempotent()', async (place) => {
      const stage = this.#stage;
      if (stage.delivered.length === 0)
        throw new UsageError(`${place.text}: no event was given that could come again.`);
      const before = {
        printed: print(this.#subject),
        picture: new Picture(this.#subject),
        tables: await stage.tables(),
      };
      const dispatched = stage.commands.count;
      for (const delivery of stage.delivered) {
        try {
          await stage.repeat(delivery);
        } catch (thrown) {
          if (!(thrown instanceof SubjectFailed)) throw thrown;
          const { error } = thrown;
          throw unmet(place, {
            what: `${delivery.stored.name}, delivered again, failed`,
            expected: undefined,
            actual: error,
            wanted: 'no error',
            found: error instanceof Error ? `${error.name}: ${error.message}` : print(error),
            cause: error,
          });
        }
      }
      const further = stage.commands.commands.slice(dispatched);
      if (further.length > 0)
        throw unmet(place, {
          what: 'delivered again, the events caused further commands',
          expected: [],
          actual: further,
          wanted: printMessages([]),
          found: printMessages(further),
        });
      this.#compare(place, before.printed, before.picture);
      compareTables(place, before.tables, await stage.tables());
    });
  }

  get #subject(): P {
    return this.#stage.subject as P;
  }

  #compare(place: Place, printed: string, picture: Picture): void {
    const different = picture.difference(new Picture(this.#subject), this.#subject.constructor.name);
    if (different === undefined) return;
    throw unmet(place, {
      what: `delivered again, the events changed ${different.path}`,
      expected: printed,
      actual: print(this.#subject),
      wanted: different.before,
      found: different.after,
    });
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

/** A test of a projection: as of any event processor, and of its answers. */
export class ProjectionScenario<P extends Projection, R = never> extends ProcessorScenario<P> {
  readonly #stage: ProcessorStage;
  #answer: { readonly value: unknown } | undefined;
  #asked = false;

  /** @internal */
  constructor(stage: ProcessorStage) {
    super(stage);
    this.#stage = stage;
  }

  /** Asks the projection. An error fails the scenario, unless `shouldFailWith` follows. */
  whenQueried<Q extends Query>(query: Q): ProjectionScenario<P, ResultOf<Q>> {
    const asked = this.record('act', `.whenQueried(${nameFor(query)})`, async (place) => {
      this.#answer = undefined;
      if (!this.#stage.answers(query)) {
        const answered = this.#stage.handled('query');
        throw unmet(place, {
          what: `it does not answer ${nameFor(query)}`,
          expected: answered,
          actual: nameFor(query),
          wanted: answered,
          found: nameFor(query),
        });
      }
      this.#answer = { value: await this.#stage.ask(query) };
    });
    this.#asked = true;
    return asked as unknown as ProjectionScenario<P, ResultOf<Q>>;
  }

  /** The last query was answered with this, deeply equal. */
  shouldReturn(value: R): this {
    const text = `.shouldReturn(${print(value)})`;
    if (!this.#asked) throw new UsageError(`${text} is about a query: .whenQueried(…) first.`);
    return this.record('check', text, (place) => {
      const answer = this.#answer;
      if (answer !== undefined && sameValue(answer.value, value)) return;
      throw unmet(place, {
        what: answer === undefined ? 'no query was answered' : 'the answer is another',
        expected: value,
        actual: answer?.value,
        wanted: print(value),
        found: answer === undefined ? 'no answer' : print(answer.value),
      });
    });
  }
}

function compareTables(place: Place, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (table) => before.get(table) !== after.get(table),
  );
  if (changed.length === 0) return;
  throw unmet(place, {
    what: `delivered again, the events changed ${changed.join(', ')}`,
    expected: changed.map((table) => before.get(table)),
    actual: changed.map((table) => after.get(table)),
    wanted: 'the rows as they were',
    found: 'other rows',
  });
}
