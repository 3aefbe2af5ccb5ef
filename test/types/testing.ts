// Compiled, never run: what the compiler promises about scenarios.
import {
  type Application,
  Command,
  Event,
  EventProcessor,
  IdGenerator,
  Clock,
  type ApplicationBuilder,
  Aggregate,
  Projection,
  Query,
} from 'interlock-cqrs';
import {
  type AggregateScenario,
  aggregateScenario,
  FakeClock,
  type ProcessorScenario,
  processorScenario,
  type ProjectionScenario,
  projectionScenario,
  SequentialIds,
} from 'interlock-cqrs/testing';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(): T | undefined {
  return undefined;
}

class Opened extends Event('t.Opened')<{ owner: string }> {}
class Open extends Command('t.Open')<{ owner: string }, string> {}
class Close extends Command('t.Close') {}
class Count extends Query('t.Count')<object, number> {}
class Account extends Aggregate {
  balance = 0;
}
class Names extends EventProcessor {
  names: string[] = [];
}
class Counts extends Projection {
  count = 0;
}
class Needy extends EventProcessor {
  constructor(readonly of: string) {
    super();
  }
}
abstract class Abstract extends EventProcessor {}
declare const app: Application;
declare const builder: ApplicationBuilder;
declare const several: Event[];
const opened = new Opened({ owner: 'Ada' });
const open = new Open({ aggregateId: 'a', owner: 'Ada' });

// The subject's type comes from a class and from an instance, with an application and without.
holds<Same<ReturnType<typeof processorScenario<Names>>, ProcessorScenario<Names>>>();
const ofClass: ProcessorScenario<Names> = processorScenario(Names);
const ofInstance: ProcessorScenario<Needy> = processorScenario(new Needy('a'));
const ofApp: ProcessorScenario<Needy> = app.processorScenario(Needy);
const projection: ProjectionScenario<Counts> = projectionScenario(Counts);
const aggregate: AggregateScenario<Account> = aggregateScenario(new Account());
void app.projectionScenario(Counts).shouldHaveState(({ count }) => count === 1);
void app.aggregateScenario(Account).shouldHaveState(({ balance }) => balance === 1);
// @ts-expect-error -- it cannot be built without arguments
void processorScenario(Needy);
// @ts-expect-error -- nor can this
void processorScenario(Abstract);
// @ts-expect-error -- no projection
void projectionScenario(Names);
// @ts-expect-error -- no aggregate
void aggregateScenario(Names);

// Each is a promise of nothing.
const promises: Promise<void>[] = [ofClass, ofInstance, ofApp, projection, aggregate];
void Promise.all(promises);
holds<Same<Awaited<typeof ofClass>, void>>();
holds<Same<Awaited<typeof aggregate>, void>>();

// Steps keep the type.
holds<Same<ReturnType<typeof ofClass.shouldBeIdempotent>, typeof ofClass>>();
void ofClass
  .given(opened)
  .given(opened, opened)
  .given('a', opened, opened)
  .given('a', ...several)
  .given({ aggregateId: 'a', sequence: 3, timestamp: new Date(), tenant: 't', headers: { a: 'b' } }, opened)
  .answering(Open, ({ owner }) => owner)
  .answering(Close, async () => {})
  .shouldDispatch()
  .shouldDispatch(open, new Close({ aggregateId: 'a' }))
  .shouldFailWith(RangeError)
  .shouldFailWith(Error, 'why')
  .shouldFailWith(Error, /why/)
  .shouldBeIdempotent()
  .shouldHaveState(({ names }) => names.length === 1)
  .shouldHaveState(async ({ names }) => names.length === 1)
  .shouldHaveState(() => {});
// @ts-expect-error -- a command is no event
void ofClass.given(open);
// @ts-expect-error -- nor behind an id
void ofClass.given('a', open);
// @ts-expect-error -- a header alone gives nothing
void ofClass.given({ aggregateId: 'a' });
// @ts-expect-error -- nothing of that name
void ofClass.given({ aggregate: 'a' }, opened);
// @ts-expect-error -- an event is no command
void ofClass.shouldDispatch(opened);
// @ts-expect-error -- the answer is of the command's result type
void ofClass.answering(Open, () => 1);
// @ts-expect-error -- a check returns a boolean or nothing
void ofClass.shouldHaveState(({ names }) => names.length);
// @ts-expect-error -- a check looks at the subject
void ofClass.shouldHaveState(({ count }) => count === 1);
// @ts-expect-error -- processors answer no queries
void ofClass.whenQueried(new Count());

// Answers and results are typed by the query and the command.
void projection.given(opened).whenQueried(new Count()).shouldReturn(1).shouldBeIdempotent().given(opened);
// @ts-expect-error -- the query is answered with a number
void projection.whenQueried(new Count()).shouldReturn('1');
// @ts-expect-error -- no query, no answer
void projection.shouldReturn(1);
void aggregate
  .given(opened)
  .when(open)
  .shouldReturn('a')
  .shouldEmit(opened)
  .when(new Close({ aggregateId: 'a' }));
void aggregate.when(new Close({ aggregateId: 'a' })).shouldReturn(undefined);
void aggregate.when(open, { tenant: 't', correlationId: 'c', headers: {}, timestamp: new Date() });
// @ts-expect-error -- the command returns a string
void aggregate.when(open).shouldReturn(1);
const closed = aggregate.when(open).when(new Close({ aggregateId: 'a' }));
// @ts-expect-error -- that of the last command counts
void closed.shouldReturn('a');
// @ts-expect-error -- no command, no result
void aggregate.shouldReturn('a');
// @ts-expect-error -- a command is not emitted
void aggregate.when(open).shouldEmit(open);

// Clock and ids, readable, and dependencies of an application.
holds<Same<typeof ofClass.clock, FakeClock>>();
holds<Same<typeof aggregate.ids, SequentialIds>>();
void builder.registerDependency(Clock, FakeClock).registerDependency(IdGenerator, () => new SequentialIds('account-'));
