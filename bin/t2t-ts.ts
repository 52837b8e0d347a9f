#!/usr/bin/env node
/** The command `t2t-ts`: starts the command line and turns what goes wrong into one sentence and an exit code. */

import { availableParallelism } from 'node:os';

// libuv reads this when its first thread starts: images are decoded there, and four threads starve a larger machine.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));

// Whoever reads the output may have read enough (`t2t-ts list | head`): the work goes on to its end all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

const { runCommandLine } = await import('./program.js');
process.exitCode = await runCommandLine(process.argv);
