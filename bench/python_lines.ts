/** A Python process that stays and answers line for line, so that its start is not timed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface PythonLines {
  readonly process: ChildProcess;
  readonly ask: (line: string) => void;
  /** Its next line; undefined once it has ended, or where there is no interpreter. */
  readonly answer: () => Promise<string | undefined>;
}

/** Starts T2T_PYTHON (or python3) with these words; what it says of errors is shown unless `errors` is `ignore`. */
export function startPython(
  words: readonly string[],
  options: { readonly python?: string; readonly errors?: 'inherit' | 'ignore' } = {},
): PythonLines {
  const child = spawn(options.python ?? process.env.T2T_PYTHON ?? 'python3', words, {
    stdio: ['pipe', 'pipe', options.errors ?? 'inherit'],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the process was started without pipes');
  // Without an interpreter there are no lines: the answer is then undefined.
  child.on('error', () => stdout.destroy());
  stdin.on('error', () => undefined);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    ask: (line) => {
      stdin.write(`${line}\n`);
    },
    answer: async () => {
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
  };
}
