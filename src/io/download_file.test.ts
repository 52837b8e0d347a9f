import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type DownloadFileOptions, downloadFile } from './download_file.js';
import { UserError } from './errors.js';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface FileServer {
  readonly url: string;
  /** `Range` of every request, in order; `-` where there was none. */
  readonly ranges: string[];
  readonly ifRanges: (string | undefined)[];
}

type Answer = (request: IncomingMessage, response: ServerResponse, hit: number) => void;

async function serve(answer: Answer): Promise<FileServer> {
  const ranges: string[] = [];
  const ifRanges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? '-');
    ifRanges.push(request.headers['if-range'] as string | undefined);
    answer(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.zip`, ranges, ifRanges };
}

/** Bytes unlike each other, 3 MB, so that several writes are needed. */
function content(seed: number, length = 3_000_000): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    bytes[i] = state >> 16;
  }
  return bytes;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Answers as a good server does: ranges, and `If-Range` against the strong ETag or the date. */
function sendWell(
  bytes: Buffer,
  headers: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  const ifRange = request.headers['if-range'];
  const isSame = ifRange !== undefined && (ifRange === headers.etag || ifRange === headers['last-modified']);
  if (Number.isNaN(start) || !isSame)
    response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
  else if (start >= bytes.length)
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  else
    response
      .writeHead(206, {
        ...headers,
        'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
        'content-length': bytes.length - start,
      })
      .end(bytes.subarray(start));
}

/** Sends so many bytes of the whole and then resets. */
function sendAndReset(
  bytes: Buffer,
  count: number,
  headers: Record<string, string>,
  response: ServerResponse,
): void {
  response.writeHead(200, { ...headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, count), () => setTimeout(() => response.socket?.resetAndDestroy(), 30));
}

function target(): string {
  const folder = mkdtempSync(join(tmpdir(), 't2t-download-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data.zip');
}

function download(
  server: FileServer,
  path: string,
  more: Partial<DownloadFileOptions> = {},
): ReturnType<typeof downloadFile> {
  return downloadFile({
    url: server.url,
    path,
    allowPrivateHosts: true,
    backoffMs: 5,
    timeouts: { connectTimeoutMs: 1000, headersTimeoutMs: 300, bodyTimeoutMs: 300 },
    ...more,
  });
}

const ETAG = { etag: '"v1"' };
const bytes = content(1);

describe('downloadFile', () => {
  it('gives a whole file its name and leaves nothing beside it', async () => {
    const server = await serve((request, response) => sendWell(bytes, ETAG, request, response));
    const path = target();
    const seen: number[] = [];
    const done = await download(server, path, {
      expected: { bytes: bytes.length, sha256: sha256(bytes) },
      onProgress: (progress) => seen.push(progress.bytes),
    });
    expect(done).toEqual({ path, bytes: bytes.length, sha256: sha256(bytes), finalUrl: server.url });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(existsSync(`${path}.part`) || existsSync(`${path}.part.json`)).toBe(false);
    expect(seen.at(-1)).toBe(bytes.length);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  for (const [name, headers] of [
    ['strong ETag', ETAG],
    ['date', { 'last-modified': 'Wed, 02 Jan 2030 03:04:05 GMT' }],
    ['date beside a weak ETag', { etag: 'W/"v1"', 'last-modified': 'Wed, 02 Jan 2030 03:04:05 GMT' }],
  ] as const)
    it(`goes on where a reset has stopped it, on the condition of the same ${name}`, async () => {
      const server = await serve((request, response, hit) =>
        hit === 1
          ? sendAndReset(bytes, 2_000_000, headers, response)
          : sendWell(bytes, headers, request, response),
      );
      const path = target();
      const done = await download(server, path);
      expect(done.sha256).toBe(sha256(bytes));
      expect(server.ranges).toHaveLength(2);
      const from = Number(/^bytes=(\d+)-$/.exec(server.ranges[1] as string)?.[1]);
      expect(from).toBeGreaterThan(0);
      expect(server.ifRanges[1]).toBe('last-modified' in headers ? headers['last-modified'] : headers.etag);
    });

  it('goes on in a later process where one was stopped', async () => {
    const stop = new AbortController();
    const server = await serve((request, response, hit) => {
      if (hit > 1) return sendWell(bytes, ETAG, request, response);
      response.writeHead(200, { ...ETAG, 'content-length': bytes.length });
      response.write(bytes.subarray(0, 2_500_000), () => setTimeout(() => stop.abort(), 50));
    });
    const path = target();
    await expect(
      download(server, path, { signal: stop.signal, timeouts: { bodyTimeoutMs: 5000 } }),
    ).rejects.toThrow(/abort/);
    const kept = statSync(`${path}.part`).size;
    expect(kept).toBeGreaterThan(0);
    expect(existsSync(path)).toBe(false);
    expect((await download(server, path)).sha256).toBe(sha256(bytes));
    expect(server.ranges).toEqual(['-', `bytes=${kept}-`]);
  });

  it('starts again when the file changed half way, and never splices', async () => {
    const newer = content(2);
    const server = await serve((request, response, hit) =>
      hit === 1
        ? sendAndReset(bytes, 2_000_000, ETAG, response)
        : sendWell(newer, { etag: '"v2"' }, request, response),
    );
    const path = target();
    expect((await download(server, path)).sha256).toBe(sha256(newer));
    expect(readFileSync(path).equals(newer)).toBe(true);
  });

  it('starts again where a server ignores the condition and sends a part of another version', async () => {
    const newer = content(2);
    const server = await serve((request, response, hit) => {
      if (hit === 1) return sendAndReset(bytes, 2_000_000, ETAG, response);
      const headers = { etag: '"v2"' };
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (start === 0) return sendWell(newer, headers, request, response);
      response
        .writeHead(206, { ...headers, 'content-range': `bytes ${start}-${newer.length - 1}/${newer.length}` })
        .end(newer.subarray(start));
    });
    expect((await download(server, target())).sha256).toBe(sha256(newer));
  });

  it('starts again where there is nothing to continue on the condition of', async () => {
    for (const headers of [{}, { etag: 'W/"v1"' }]) {
      const server = await serve((request, response, hit) =>
        hit === 1
          ? sendAndReset(bytes, 2_000_000, headers, response)
          : sendWell(bytes, headers, request, response),
      );
      expect((await download(server, target())).sha256).toBe(sha256(bytes));
      expect(server.ranges).toEqual(['-', '-']);
    }
  });

  it('starts again where the server knows no ranges or sends another than was asked for', async () => {
    const wrong = (response: ServerResponse, range: string): void =>
      void response.writeHead(206, { ...ETAG, 'content-range': range }).end(bytes.subarray(0, 100));
    const answers: Answer[] = [
      (_request, response) => response.writeHead(200, { ...ETAG, 'content-length': bytes.length }).end(bytes),
      (request, response, hit) =>
        hit === 2 ? wrong(response, `bytes 0-99/${bytes.length}`) : sendWell(bytes, ETAG, request, response),
      (request, response, hit) =>
        hit === 2 ? wrong(response, 'nonsense') : sendWell(bytes, ETAG, request, response),
      (request, response, hit) =>
        hit === 2
          ? void response.writeHead(416, { 'content-range': 'bytes */17' }).end()
          : sendWell(bytes, ETAG, request, response),
    ];
    for (const answer of answers) {
      const server = await serve((request, response, hit) =>
        hit === 1 ? sendAndReset(bytes, 2_000_000, ETAG, response) : answer(request, response, hit),
      );
      expect((await download(server, target())).sha256).toBe(sha256(bytes));
    }
  });

  it('needs no request where an earlier process had all of it, and one where it did not know that', async () => {
    const server = await serve((request, response) => sendWell(bytes, ETAG, request, response));
    const path = target();
    const memo = { url: server.url, validator: { etag: '"v1"' } };
    writeFileSync(`${path}.part`, bytes);
    writeFileSync(`${path}.part.json`, JSON.stringify({ ...memo, totalBytes: bytes.length }));
    expect((await download(server, path)).sha256).toBe(sha256(bytes));
    expect(server.ranges).toEqual([]);
    writeFileSync(`${path}.part`, bytes);
    writeFileSync(`${path}.part.json`, JSON.stringify(memo));
    expect((await download(server, path)).sha256).toBe(sha256(bytes));
    expect(server.ranges).toEqual([`bytes=${bytes.length}-`]);
  });

  it('fetches once more from the start what a spoilt part has made wrong', async () => {
    const server = await serve((request, response) => sendWell(bytes, ETAG, request, response));
    const path = target();
    writeFileSync(`${path}.part`, content(3).subarray(0, 1_000_000));
    writeFileSync(
      `${path}.part.json`,
      JSON.stringify({ url: server.url, validator: ETAG, totalBytes: bytes.length }),
    );
    const done = await download(server, path, { expected: { sha256: sha256(bytes) } });
    expect(done.sha256).toBe(sha256(bytes));
    expect(server.ranges).toEqual(['bytes=1000000-', '-']);
  });

  it('does not continue the part of another URL, nor one whose memo a kill has cut', async () => {
    const server = await serve((request, response) => sendWell(bytes, ETAG, request, response));
    for (const memo of ['{"url":"http://other.example/","validator":{"etag":"\\"v1\\""}}', '{"url":"htt']) {
      const path = target();
      writeFileSync(`${path}.part`, content(3).subarray(0, 1000));
      writeFileSync(`${path}.part.json`, memo);
      expect((await download(server, path)).sha256).toBe(sha256(bytes));
    }
    expect(server.ranges).toEqual(['-', '-']);
  });

  it('refuses a file that is not the one expected, and keeps it aside', async () => {
    const server = await serve((request, response) => sendWell(bytes, ETAG, request, response));
    const path = target();
    const refused = download(server, path, { expected: { sha256: '0'.repeat(64) } });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(`SHA-256 ${sha256(bytes)} instead of ${'0'.repeat(64)}`);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}.wrong`).equals(bytes)).toBe(true);
    await expect(download(server, path, { expected: { bytes: 17 } })).rejects.toThrow(
      '3000000 bytes, 17 are expected',
    );
    expect(existsSync(path)).toBe(false);
  });

  it('says what the person can do where the file can’t be had', async () => {
    const answers: [RegExp, Answer][] = [
      [/HTTP 404.*moved/, (_request, response) => response.writeHead(404).end()],
      [/HTTP 403.*by hand/, (_request, response) => response.writeHead(403).end()],
      [/HTTP 500.*later/, (_request, response) => response.writeHead(500).end()],
      [
        /HTTP 429, to be asked again in 3600 s/,
        (_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
      ],
      [/no headers within 300 ms/, () => {}],
      [/loop/, (_request, response) => response.writeHead(302, { location: '/data.zip' }).end()],
      [/the limit is 1000000/, (request, response) => sendWell(bytes, ETAG, request, response)],
      [/the limit is 1000000|more than the 1000000/, (_request, response) => response.end(bytes)],
    ];
    for (const [message, answer] of answers) {
      const server = await serve(answer);
      const refused = download(server, target(), { maxAttempts: 2, maxBytes: 1_000_000 });
      await expect(refused).rejects.toThrow(UserError);
      await expect(refused).rejects.toThrow(message);
    }
    const server = await serve(() => {});
    await expect(download(server, target(), { allowPrivateHosts: false })).rejects.toThrow(
      /loopback.*--allow-private-hosts/,
    );
    await expect(download({ ...server, url: 'file:///etc/passwd' }, target())).rejects.toThrow(
      /neither http: nor https:/,
    );
  });

  it('refuses a file for which the disk has no room before the first byte is written', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { ...ETAG, 'content-length': 2 ** 50 });
      response.write('x');
    });
    await expect(download(server, target(), { maxBytes: 2 ** 51 })).rejects.toThrow(
      /bytes free, and 1125899906842624 are needed/,
    );
  });

  it('comes through a server that cuts every transfer short as long as each brings something', async () => {
    const server = await serve((request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const headers =
        start === 0 ? {} : { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
      response.writeHead(start === 0 ? 200 : 206, {
        ...ETAG,
        ...headers,
        'content-length': bytes.length - start,
      });
      response.write(bytes.subarray(start, start + 250_000), () =>
        setTimeout(() => response.socket?.destroy(), 20),
      );
    });
    expect((await download(server, target(), { maxAttempts: 2 })).sha256).toBe(sha256(bytes));
    expect(server.ranges.length).toBeGreaterThan(8);
  });

  it('throws away a part that is longer than the file', async () => {
    const server = await serve((request, response) => sendWell(bytes, ETAG, request, response));
    const path = target();
    writeFileSync(`${path}.part`, '');
    truncateSync(`${path}.part`, bytes.length + 5);
    writeFileSync(
      `${path}.part.json`,
      JSON.stringify({ url: server.url, validator: ETAG, totalBytes: bytes.length }),
    );
    expect((await download(server, path)).sha256).toBe(sha256(bytes));
    expect(server.ranges).toEqual(['-']);
  });
});
