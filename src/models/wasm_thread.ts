/** A thread of the WASM backend: TF.js ships the thread's program as text for browsers, which runs here in a Node worker. */

import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';

const require = createRequire(import.meta.url);
const { wasmWorkerContents: program } =
  require('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js') as {
    wasmWorkerContents: string;
  };

// The program is a CommonJS module's: it asks for these.
Object.assign(globalThis, { require, __filename: import.meta.filename });
// A line break inside a string of the program has lost its backslash on the way.
runInThisContext(program.replaceAll('\n', '\\n'));
