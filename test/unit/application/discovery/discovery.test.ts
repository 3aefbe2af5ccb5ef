import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DiscoveryOptions, discover } from '../../../../src/application/discovery.ts';
import { Container } from '../../../../src/container/container.ts';
import { isClass } from '../../../../src/container/token.ts';

// The files of these tests import nothing: a static `kind`, inherited like handlers are, stands for a base class and a handler.
interface Kind<K extends string> {
  new (): object;
  readonly kind: K;
}
const kind =
  <K extends string>(name: K) =>
  (value: unknown): value is Kind<K> =>
    isClass(value) && 'kind' in value && value.kind === name;
type Upcaster = { readonly from: number };
type Options = DiscoveryOptions<Kind<'aggregate'>, Kind<'processor'>, Kind<'middleware'>, Upcaster, Kind<'event'>>;
const options: Options = {
  typescript: false,
  isAggregate: kind('aggregate'),
  isProcessor: kind('processor'),
  isMiddleware: kind('middleware'),
  isEvent: kind('event'),
  isUpcaster: (value): value is Upcaster => typeof value === 'object' && value !== null && 'from' in value,
};

const library = (file: string): string => new URL(`../../../../src/application/${file}`, import.meta.url).href;

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'discovery-')));
});
afterEach(() => rm(root, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** Runs a file in a Node of its own, without Vite. */
async function run(file: string, ...flags: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [...flags, join(root, file)])).stdout.trim();
}

async function found(some: Partial<Options> = {}) {
  return discover(pathToFileURL(`${root}/`), { ...options, ...some });
}

const names = (values: readonly { readonly name: string }[]): string[] => values.map((value) => value.name);
const type = (name: string, of: string): string => `export class ${name} { static kind = '${of}'; }\n`;
const throwing = `throw new Error('this file must not be imported');`;

describe('what is imported', () => {
  it('lies in folders of the seven names, at any depth', async () => {
    await write({
      'aggregates/account.js': type('Account', 'aggregate'),
      'bank/processors/deep/totals.mjs': type('Totals', 'processor'),
      'bank/projections/balances.js': type('Balances', 'processor'),
      'bank/sagas/transfer.js': type('Transfer', 'processor'),
      'middleware/audit.js': type('Audit', 'middleware'),
      'upcasters/fee.js': 'export const fee = { from: 1 };',
      'services/mailer.js': 'export class Mailer { send() {} }',
    });
    const all = await found();
    expect(all.findings).toEqual([]);
    expect(names(all.aggregates)).toEqual(['Account']);
    expect(names(all.processors)).toEqual(['Totals', 'Balances', 'Transfer']);
    expect(names(all.middleware)).toEqual(['Audit']);
    expect(all.upcasters).toEqual([{ from: 1 }]);
    expect(all.services.map(({ token }) => (token as { name: string }).name)).toEqual(['Mailer']);
  });

  it('lies in the folder itself, if it has one of the names', async () => {
    await write({ 'processors/totals.js': type('Totals', 'processor') });
    const { processors } = await discover(pathToFileURL(join(root, 'processors')), options);
    expect(names(processors)).toEqual(['Totals']);
  });

  it('is no other file: no entry point, test, declaration, underscore, dot or package', async () => {
    await write({
      'main.js': throwing,
      'processors/taken.js': '',
      'processor/x.js': throwing,
      'processors/_draft.js': throwing,
      'processors/_old/x.js': throwing,
      'processors/.cache/x.js': throwing,
      'processors/x.test.js': throwing,
      'processors/x.spec.mjs': throwing,
      'processors/__tests__/x.js': throwing,
      'processors/node_modules/p/x.js': throwing,
      'processors/x.d.ts': throwing,
      'processors/x.d.mts': throwing,
      'processors/x.ts': throwing,
      'processors/x.cjs': throwing,
      'processors/x.json': '{',
      'processors/x.js.map': '{',
    });
    expect((await found()).findings).toEqual([]);
  });

  it('is TypeScript where the caller is, declarations aside, and never both x.ts and x.js', async () => {
    await write({
      'processors/a.ts': `${type('A', 'processor')} export const n: number = 1;`,
      'processors/a.js': throwing,
      'processors/a.d.ts': throwing,
      'processors/b.mts': type('B', 'processor'),
      'processors/b.mjs': throwing,
      'processors/c.js': type('C', 'processor'),
      'processors/c.d.ts': throwing,
      'processors/c.test.ts': throwing,
    });
    const { processors, findings } = await found({ typescript: true });
    expect(findings).toEqual([]);
    expect(names(processors)).toEqual(['A', 'B', 'C']);
  });

  it('is JavaScript where the caller is, with x.ts beside x.js', async () => {
    await write({ 'processors/a.ts': throwing, 'processors/a.js': type('A', 'processor') });
    expect(names((await found()).processors)).toEqual(['A']);
  });

  it('comes in the order of paths, whatever the folder says', async () => {
    await write({
      'z/processors/a.js': type('Z', 'processor'),
      'processors/b.js': `${type('B2', 'processor')}${type('B1', 'processor')}`,
      'processors/B.js': type('Upper', 'processor'),
      'a/processors/c.js': type('A', 'processor'),
    });
    expect(names((await found()).processors)).toEqual(['A', 'Upper', 'B1', 'B2', 'Z']);
  });

  it('follows symbolic links, and does not hang in a loop of them', async () => {
    await write({ 'shared/totals.js': type('Totals', 'processor') });
    await mkdir(join(root, 'processors'));
    await symlink('../shared', join(root, 'processors/shared'));
    for (const name of ['up', 'again']) await symlink('..', join(root, 'processors', name)); // two: paths without number
    await symlink('../shared/totals.js', join(root, 'processors/one.js'));
    await symlink('gone.js', join(root, 'processors/dead.js'));
    const { processors, findings } = await found();
    expect(findings).toEqual([]);
    expect(names(processors)).toEqual(['Totals']);
  });

  it('goes through the loader that was given', async () => {
    await write({ 'processors/a.js': throwing });
    const urls: string[] = [];
    const from = { from: 1 };
    const load = (url: string) => Promise.resolve({ from: (urls.push(url), from) });
    expect((await found({ load })).upcasters).toEqual([from]);
    expect(urls).toEqual([pathToFileURL(join(root, 'processors/a.js')).href]);
  });
});

describe('what is found', () => {
  it('counts once, from however many files it is exported', async () => {
    await write({
      'processors/a-index.js': `export * from './totals.js'; export { Totals as Other } from './totals.js';`,
      'processors/totals.js': type('Totals', 'processor'),
      'aggregates/index.js': `export { Mailer } from '../services/mailer.js';`,
      'services/mailer.js': 'export class Mailer { send() {} }',
    });
    const all = await found();
    expect(names(all.processors)).toEqual(['Totals']);
    expect(all.services).toHaveLength(1);
  });

  it('is judged by what it is, whichever of the folders it lies in', async () => {
    await write({
      'aggregates/all.js': `${type('Account', 'aggregate')}${type('Opened', 'event')}${type('Totals', 'processor')}`,
    });
    const { aggregates, events, processors } = await found();
    expect([names(aggregates), names(events), names(processors)]).toEqual([['Account'], ['Opened'], ['Totals']]);
  });

  it('ignores what is nothing of all that', async () => {
    await write({
      'processors/helpers.js': `export class Helper { help() {} } export const n = 1; export function f() {} export default {};`,
      'services/errors.js': `export class Refused extends Error { why() {} } export const make = () => ({});
        export class Ask { static messageName = 'bank.Ask'; get x() { return 1; } }
        export class Row { constructor(id) { this.id = id; } save() {} }`,
    });
    const { findings, ...kinds } = await found();
    expect(findings).toEqual([]);
    expect(Object.values(kinds).flat()).toEqual([]);
  });

  it('leaves out a class that another one extends, unless it has a durable name of its own', async () => {
    await write({
      'processors/base.js': `${type('Base', 'processor')}
        export class Named extends Base { static processorName = 'bank.named'; }`,
      'processors/totals.js': `import { Base, Named } from './base.js';
        export class Totals extends Base {} export class More extends Named {}`,
    });
    expect(names((await found()).processors)).toEqual(['Named', 'More', 'Totals']);
  });

  it('leaves out a class that a registered one extends', async () => {
    await write({ 'processors/base.js': type('Base', 'processor') });
    const [base] = (await found()).processors;
    class Totals extends (base!) {}
    expect((await found({ registered: new Set([Totals]) })).processors).toEqual([]);
  });

  it('leaves out what is registered already', async () => {
    await write({
      'processors/totals.js': type('Totals', 'processor'),
      'services/mailer.js': 'export class Mailer { send() {} }',
      'upcasters/fee.js': 'export const fee = { from: 1 };',
    });
    const { processors, services, upcasters } = await found();
    const registered = new Set([...processors, ...services.map(({ token }) => token), ...upcasters]);
    const { findings, ...kinds } = await found({ registered });
    expect(Object.values(kinds).flat()).toEqual([]);
    expect(findings).toEqual([]);
  });
});

describe('services', () => {
  const tokens = `export class Balances { get() {} } export class Reader { read() {} }\n`;

  it('are registered for what they say they provide, wherever they lie, and one instance serves several tokens', async () => {
    await write({
      'services/tokens.js': tokens,
      'processors/sql.js': `import { Balances, Reader } from '../services/tokens.js';
        export class Sql extends Balances { static provides = [Balances, Reader]; read() {} }`,
    });
    const { services, findings } = await found();
    expect(findings).toEqual([]);
    const container = new Container();
    for (const { token, provider } of services) container.register(token, provider);
    expect(await container.build()).toEqual([]);
    const [first, second] = services.map(({ token }) => container.get(token) as object);
    expect(services).toHaveLength(2);
    expect(first?.constructor.name).toBe('Sql');
    expect(second).toBe(first);
  });

  it('give way to explicit registrations, token by token', async () => {
    await write({
      'services/tokens.js': tokens,
      'services/sql.js': `import { Balances, Reader } from './tokens.js';
        export class Sql { static provides = [Balances, Reader]; get() {} read() {} }
        export class Twin { static provides = Balances; get() {} }`,
    });
    const { Balances } = (await import(pathToFileURL(join(root, 'services/tokens.js')).href)) as { Balances: object };
    const { services, findings } = await found({ registered: new Set([Balances]) });
    expect(findings).toEqual([]);
    expect(services.map(({ token, provider }) => [token, provider].map((of) => (of as { name: string }).name))).toEqual(
      [['Reader', 'Sql']],
    );
  });

  it('are not their abstract bases: those that are extended, provided by another, or without any method', async () => {
    await write({
      'services/a.js': `export class Extended { get() {} } export class Impl extends Extended {}
        export class Provided { get() {} } export class Sql { static provides = Provided; get() {} }
        export class Empty {}`,
    });
    const { services } = await found();
    expect(services.map(({ token, provider }) => [token, provider].map((of) => (of as { name: string }).name))).toEqual(
      [
        ['Provided', 'Sql'],
        ['Impl', 'Impl'],
      ],
    );
  });

  it('do not inherit what they provide', async () => {
    await write({
      'services/a.js': `class Token {}
        export class Sql { static provides = Token; get() {} } export class Traced extends Sql {}`,
      'processors/b.js': `import { Sql } from '../services/a.js'; export class Helper extends Sql {}`,
    });
    const { services } = await found();
    expect(services.map(({ token }) => (token as { name: string }).name)).toEqual(['Token', 'Traced']);
  });
});

describe('findings', () => {
  it('name every module that fails to load, with its cause', async () => {
    await write({
      'aggregates/a.js': `throw new TypeError('no database');`,
      'aggregates/b.js': `export const = 1`,
      'aggregates/c.js': type('Account', 'aggregate'),
    });
    const { findings, aggregates } = await found({ load: (url) => import(/* @vite-ignore */ url) });
    expect(findings[0]).toEqual({
      message: `${join(root, 'aggregates/a.js')} cannot be loaded: TypeError: no database`,
      cause: new TypeError('no database'),
    });
    expect(findings[1]?.message).toMatch(`${join(root, 'aggregates/b.js')} cannot be loaded: `);
    expect(findings).toHaveLength(2);
    expect(names(aggregates)).toEqual(['Account']);
  });

  it('name a folder that is not there, or is none', async () => {
    await write({ 'main.js': '' });
    for (const name of ['gone/', 'main.js']) {
      const { findings } = await discover(pathToFileURL(join(root, name)), options);
      expect(findings.map(({ message }) => message)).toEqual([
        expect.stringContaining(`conventionBased cannot read the folder ${join(root, name)}`),
      ]);
      expect(findings[0]?.cause).toBeInstanceOf(Error);
    }
  });

  it('refuse a folder of TypeScript to a caller in JavaScript', async () => {
    await write({ 'processors/totals.ts': '' });
    const { findings } = await discover(pathToFileURL(root), { ...options, typescript: false });
    expect(findings).toEqual([
      {
        message: `conventionBased finds only TypeScript in ${root}, and its caller is JavaScript: give it the folder of the compiled files`,
      },
    ]);
  });

  it.each([
    ['a URL that is no file', new URL('https://example.org/app/'), 'https://example.org/app/'],
    ['a path', './my-app/' as unknown as URL, "'./my-app/'"],
  ])('refuse %s', async (_, folder, given) => {
    const { findings } = await discover(folder, options);
    expect(findings).toEqual([
      { message: `conventionBased takes the URL of a folder, new URL('./my-app/', import.meta.url), not ${given}` },
    ]);
  });

  it('name a class whose constructor asks for arguments', async () => {
    await write({
      'processors/totals.js': `export class Totals { static kind = 'processor'; constructor(db) { this.db = db; } }`,
      'services/sql.js': `class T {} export class Sql { static provides = T; constructor(a, b, c = 1) { this.a = a; } }`,
    });
    expect((await found()).findings.map(({ message }) => message)).toEqual([
      `Totals in ${join(root, 'processors/totals.js')}: its constructor asks for 1 argument(s). Give each a default: = inject(…)`,
      `Sql in ${join(root, 'services/sql.js')}: its constructor asks for 2 argument(s). Give each a default: = inject(…)`,
    ]);
  });

  it('name two services that provide the same', async () => {
    await write({
      'services/a.js': `export class Balances { get() {} } export class Sql { static provides = Balances; }`,
      'services/b.js': `import { Balances } from './a.js'; export class Redis { static provides = Balances; }`,
    });
    expect((await found()).findings.map(({ message }) => message)).toEqual([
      `Two services provide Balances: Sql in ${join(root, 'services/a.js')} and Redis in ${join(root, 'services/b.js')}. Choose one: .registerDependency(Balances, …)`,
    ]);
  });

  it('name a class that cannot be judged', async () => {
    await write({ 'processors/totals.js': type('Totals', 'processor') });
    const error = new Error('handles one event twice');
    const isProcessor = (_value: unknown): _value is never => {
      throw error;
    };
    const all = await discover(pathToFileURL(root), { ...options, isProcessor });
    expect(all.findings.map(({ message }) => message)).toEqual([
      `Totals in ${join(root, 'processors/totals.js')}: Error: handles one event twice`,
    ]);
  });
});

describe('in plain Node', () => {
  const builder = `
    import { calledFromTypeScript } from '${library('caller.ts')}';
    import { discover } from '${library('discovery.ts')}';
    const no = () => false;
    const isProcessor = (value) => value.kind === 'processor';
    export class Builder {
      conventionBased(folder) { this.typescript = calledFromTypeScript(); this.folder = folder; return this; }
      async build() {
        await undefined;
        const { typescript } = this;
        const all = await discover(this.folder, {
          typescript, isProcessor, isAggregate: no, isMiddleware: no, isUpcaster: no, isEvent: no,
        });
        console.log(typescript, ...all.processors.map((p) => p.name), ...all.findings.map((f) => f.message));
      }
    }`;
  const main = `import { Builder } from './builder.mjs';
    await new Builder().conventionBased(new URL('./app/', import.meta.url)).build();`;
  it('a caller in TypeScript takes TypeScript, another one JavaScript', async () => {
    await write({
      'builder.mjs': builder,
      'main.ts': main,
      'main.mjs': `${main}\n//# sourceMappingURL=data:application/json;base64,${btoa(JSON.stringify({ version: 3, sources: ['main.ts'], names: [], mappings: 'AAAA' }))}`,
      'app/processors/totals.ts': `${type('FromTs', 'processor')} export const n: number = 1;`,
      'app/processors/totals.mjs': type('FromJs', 'processor'),
    });
    expect(await run('main.ts')).toBe('true FromTs');
    expect(await run('main.mjs', '--enable-source-maps')).toBe('false FromJs');
  });

  it('a decorator in a file that Node strips the types of is explained', async () => {
    await write({
      'builder.mjs': builder,
      'main.ts': main,
      'app/processors/totals.ts': `const on = (..._: unknown[]) => {}; export class Totals { @on go() {} }`,
    });
    expect(await run('main.ts')).toBe(
      `true ${join(root, 'app/processors/totals.ts')} cannot be loaded: SyntaxError: Invalid or unexpected token. ` +
        'Node strips types and knows no decorators: compile the application, or write routes(this). Vite and Vitest need the plugin in interlock-cqrs/vite',
    );
  });
});
