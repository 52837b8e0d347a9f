/** Asks Python what it makes of converted files. */

import { execFileSync } from 'node:child_process';
import { witnessPath } from '../../fixtures/witness_path.js';

const python = process.env.T2T_PYTHON ?? 'python3';

/** The lines that a witness prints; undefined, with a warning, where Python or a package is missing. */
export function askWitness(
  script: string,
  args: readonly string[],
  input?: string,
): Record<string, unknown>[] | undefined {
  const options = { timeout: 120_000, maxBuffer: 2 ** 29, encoding: 'utf8', stdio: 'pipe' } as const;
  try {
    const more = input === undefined ? {} : { input };
    const lines = execFileSync(python, [witnessPath(script), ...args], { ...options, ...more }).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  } catch (error) {
    const { status, code } = error as { status?: number; code?: string };
    if (status !== 3 && code !== 'ENOENT') throw error;
    console.warn(
      `SKIPPED: ${python} lacks what ${script} ${args[0]} needs; set T2T_PYTHON to one that has it`,
    );
    return undefined;
  }
}
