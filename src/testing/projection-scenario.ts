import type { Projection } from '../blocks/event-processor.ts';
import { UsageError } from '../errors/usage-error.ts';
import type { Query, ResultOf } from '../message/types.ts';
import { sameValue } from './equality.ts';
import { nameFor, print } from './print.ts';
import { ProcessorScenario } from './processor-scenario.ts';
import type { ProcessorStage } from './processor-stage.ts';
import { unmet } from './unmet.ts';

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
        ...(answer === undefined && { found: 'no answer' }),
      });
    });
  }
}
