// `npm run check`: every script named check:*, one line each, and the output of those that fail.
import { execFile } from 'node:child_process';
import manifest from '../package.json' with { type: 'json' };

const checks = Object.keys(manifest.scripts).filter((name) => name.startsWith('check:'));

function run(script: string): Promise<{ passed: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile(
      'npm',
      ['run', '--silent', script],
      { maxBuffer: 2 ** 28, shell: process.platform === 'win32' },
      (error, stdout, stderr) => {
        resolve({ passed: error === null, output: stdout + stderr });
      },
    );
  });
}

for (const check of checks) {
  const started = performance.now();
  const { passed, output } = await run(check);
  if (!passed) {
    process.exitCode = 1;
    console.log(output.trimEnd());
  }
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${check} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
