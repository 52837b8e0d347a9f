/** What tests of `downloadRanges` share: bytes to serve, servers that answer as told, and a call with short time-outs. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DownloadRangesOptions, downloadRanges } from './download_ranges.js';
import { seededRandom } from './random.js';

/** What tests leave behind; run it after each. */
export const cleanups: (() => void | Promise<void>)[] = [];

export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

/** Much less than in earnest, so that small files have many. */
export const PIECE = 64 * 1024;

/** Bytes unlike each other. */
export function content(seed: string, length: number): Buffer {
  const random = seededRandom(seed);
  const block = Buffer.from(Array.from({ length: 4093 }, () => random.below(256)));
  const bytes = Buffer.alloc(length, block);
  for (let i = 0; i + 4 <= length; i += 4096) bytes.writeUInt32LE(i, i);
  return bytes;
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A new folder. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 't2t-ranges-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
export type Answer = (request: IncomingMessage, response: ServerResponse, hit: number) => void;

/** Gives the origin. */
export async function ownServer(answer: Answer): Promise<string> {
  let hits = 0;
  const server = createServer((request, response) => answer(request, response, ++hits));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends a range of some bytes rightly. */
export function sendRange(
  data: Buffer,
  etag: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const ifRange = request.headers['if-range'];
  if (first === undefined || (ifRange !== undefined && ifRange !== etag)) {
    response.writeHead(200, { etag, 'content-length': data.length }).end(data);
    return;
  }
  const start = Number(first);
  const end = last === '' ? data.length : Math.min(data.length, Number(last) + 1);
  response
    .writeHead(206, {
      etag,
      'content-range': `bytes ${start}-${end - 1}/${data.length}`,
      'content-length': end - start,
    })
    .end(data.subarray(start, end));
}

/** `<origin>/a.edf` to a path. */
export function download(
  origin: string,
  path: string,
  more: Partial<DownloadRangesOptions> = {},
): ReturnType<typeof downloadRanges> {
  return downloadRanges({
    url: `${origin}/a.edf`,
    path,
    pieceBytes: PIECE,
    allowPrivateHosts: true,
    backoffMs: 5,
    timeouts: { connectTimeoutMs: 2000, headersTimeoutMs: 300, bodyTimeoutMs: 300 },
    ...more,
  });
}
