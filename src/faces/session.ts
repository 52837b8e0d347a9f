/** The face models by name, each loaded once a thread when it is first asked for. */

import { type ModelName, modelBytes } from './model_files.js';
import { type ModelSession, openTflite } from './onnx_session.js';

export type { ModelName } from './model_files.js';
export type { ModelSession } from './onnx_session.js';

/**
 * A session for a model. Those who ask for the same model on one thread share its memory and its turn; it is freed when
 * all of them have disposed of theirs.
 * @throws UserError where the model's package isn't installed or is another one than was tested.
 */
export async function openSession(name: ModelName): Promise<ModelSession> {
  const shared = shares.get(name) ?? { session: open(name), holders: 0 };
  shares.set(name, shared);
  shared.holders++;
  try {
    return handle(name, shared, await shared.session);
  } catch (error) {
    if (shares.get(name) === shared) shares.delete(name);
    throw error;
  }
}

interface Share {
  readonly session: Promise<ModelSession>;
  holders: number;
}

const shares = new Map<ModelName, Share>();

async function open(name: ModelName): Promise<ModelSession> {
  return openTflite(modelBytes(name));
}

function handle(name: ModelName, shared: Share, session: ModelSession): ModelSession {
  let isDisposed = false;
  return {
    inputShape: session.inputShape,
    outputShapes: session.outputShapes,
    run: (input, batch) =>
      isDisposed ? Promise.reject(new Error(`the model ${name} was disposed of`)) : session.run(input, batch),
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      if (--shared.holders > 0) return;
      shares.delete(name);
      await session.dispose();
    },
  };
}
