/** A model run by ONNX Runtime's WebAssembly build on the calling thread: the same in Node, its worker threads and pages. */

import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { readTflite } from '../io/tflite.js';
import { type OnnxModel, tfliteToOnnx } from './tflite_to_onnx.js';

/** A model that is ready to run. */
export interface ModelSession {
  /** Batch (1), height, width, channels. */
  readonly inputShape: readonly number[];
  /** For a batch of one, in the model's order. */
  readonly outputShapes: readonly (readonly number[])[];
  /**
   * Runs the model over `batch` pictures (1 where not said), one after the other in `input`: height, width, channels as in
   * `inputShape`. A batch takes as long as its pictures one by one and gives the same numbers. The outputs are the caller's, each with `batch` times the numbers of its shape. Runs asked for while another
   * one is going on wait for it. @throws RangeError where `input` is of another length.
   */
  run(input: Float32Array, batch?: number): Promise<readonly Float32Array[]>;
  /** Frees the memory, after the runs that were asked for. @throws Error from `run` afterwards. */
  dispose(): Promise<void>;
}

/** A session of a TFLite file. @throws UserError where it isn't one or can't be converted. */
export async function openTflite(tflite: Uint8Array): Promise<ModelSession> {
  return openOnnx(tfliteToOnnx(readTflite(tflite)));
}

/** A session of a converted model. Loads ONNX Runtime when it is first called. */
export async function openOnnx({ bytes, input, outputs }: OnnxModel): Promise<ModelSession> {
  const runtime = await loadRuntime();
  const session = await inTurn(() => runtime.InferenceSession.create(bytes, SESSION_OPTIONS));
  const inputNumbers = product(input.shape);
  let isDisposed = false;
  return {
    inputShape: input.shape,
    outputShapes: outputs.map(({ shape }) => shape),
    run(numbers, batch = 1) {
      if (!Number.isInteger(batch) || batch < 1 || numbers.length !== batch * inputNumbers)
        return Promise.reject(
          new RangeError(`${numbers.length} numbers where ${batch} × ${inputNumbers} were expected`),
        );
      const tensor = new runtime.Tensor('float32', numbers, [batch, ...input.shape.slice(1)]);
      return inTurn(async () => {
        if (isDisposed) throw new Error('the model was disposed of');
        const results = await session.run({ [input.name]: tensor });
        return outputs.map(({ name, shape }) => numbersOf(results[name], name, batch * product(shape)));
      });
    },
    dispose() {
      return inTurn(async () => {
        if (!isDisposed) await session.release();
        isDisposed = true;
      });
    },
  };
}

/** Level 3 is errors. The arena keeps what one run needed for the next. */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['wasm'],
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
};

type Runtime = typeof import('onnxruntime-web');

let runtimePromise: Promise<Runtime> | undefined;

/** Its 14 MB of WebAssembly are for those alone who look for faces. */
function loadRuntime(): Promise<Runtime> {
  runtimePromise ??= import('onnxruntime-web').then((runtime) => {
    runtime.env.logLevel = 'error';
    // Work is spread by worker threads of ours, a session each; more threads below each of them would be in each other's way.
    runtime.env.wasm.numThreads = 1;
    return runtime;
  });
  return runtimePromise;
}

let last: Promise<unknown> = Promise.resolve();

/** All sessions of a thread share one WebAssembly instance, which must not be entered twice. */
function inTurn<T>(action: () => Promise<T>): Promise<T> {
  const result = last.then(action);
  last = result.catch(() => undefined);
  return result;
}

function numbersOf(tensor: Tensor | undefined, name: string, expected: number): Float32Array {
  const data = tensor?.data;
  if (!(data instanceof Float32Array) || data.length !== expected)
    throw new Error(`the model's ${name} has ${data?.length} numbers where ${expected} were expected`);
  return data;
}

function product(shape: readonly number[]): number {
  return shape.reduce((result, extent) => result * extent, 1);
}
