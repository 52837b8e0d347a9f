/** The thread behind `StoreWriters`: takes batches of bodies, puts them into the store, answers with their hashes. */

import { parentPort, workerData } from 'node:worker_threads';
import { ContentStore, contentHash } from './content_store.js';

/** What the thread is sent. */
export type WriterMessage = readonly { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }[];

/** Its answer to one body. */
export type StoredMessage =
  | { readonly id: number; readonly sha256: string }
  | { readonly id: number; readonly error: string; readonly code: string | undefined };

const port = parentPort;
if (port !== null) {
  const store = new ContentStore(workerData as string);
  port.on('message', (bodies: WriterMessage) => port.postMessage(bodies.map((body) => stored(store, body))));
}

function stored(store: ContentStore, { id, bytes }: WriterMessage[number]): StoredMessage {
  try {
    const sha256 = contentHash(bytes);
    store.put(bytes, sha256);
    return { id, sha256 };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    return { id, error: message, code: cause?.code };
  }
}
