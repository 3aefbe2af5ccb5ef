import { execFile } from 'node:child_process';

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
  };
}

/** Dependency-cruiser's view of `src` under `directory`. Through its command, which exits with an error when there are violations. */
export function cruise(directory: string): Promise<Cruise> {
  return new Promise((resolve, reject) => {
    execFile(
      'depcruise',
      ['src', '--output-type', 'json'],
      { cwd: directory, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout) as Cruise);
        } catch {
          reject(new Error(`depcruise gave no report: ${stderr}`, { cause: error }));
        }
      },
    );
  });
}
