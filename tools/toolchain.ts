// Two packages bring a `tsc`, and npm links the one whose name it meets last; scripts must run the native compiler (7),
// while tools that need the compiler's API find 6 under the name `typescript`. Node is the one of tools/node.
import { execFileSync } from 'node:child_process';
import ts from 'typescript';

const expected: readonly [what: string, found: string, pattern: RegExp][] = [
  ['tsc', execFileSync('tsc', ['--version'], { encoding: 'utf8' }).trim(), /^Version 7\./],
  ['typescript', ts.version, /^6\./],
  ['node', process.version, /^v(22|24|26)\./],
];

for (const [what, found, pattern] of expected) {
  if (pattern.test(found)) {
    console.log(`${what} ${found}`);
  } else {
    console.error(`${what} is ${found}, expected ${pattern}`);
    process.exitCode = 1;
  }
}
