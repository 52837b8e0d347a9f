import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type FaultServer, type FaultServerOptions, startFaultServer } from '../../fixtures/fault_server.js';
import type { Fault } from '../../fixtures/faults.js';
import {
  cleanUp,
  cleanups,
  content,
  download,
  folder,
  ownServer,
  PIECE,
  sendRange,
  sha256,
} from './download_ranges.test.helper.js';
import { UserError } from './errors.js';

afterEach(cleanUp);

const bytes = content('a', 3_000_000);

async function faultServer(fault?: Fault, more: Partial<FaultServerOptions> = {}): Promise<FaultServer> {
  const server = await startFaultServer({
    files: new Map([['/a.edf', bytes]]),
    ...(fault === undefined ? {} : { faults: new Map([['/a.edf', fault]]) }),
    ...more,
  });
  cleanups.push(() => server.close());
  return server;
}

describe('downloadRanges', () => {
  it('fetches over several connections, verifies, names the file and leaves nothing beside it', async () => {
    const server = await faultServer();
    const path = join(folder(), 'a.edf');
    const seen: number[] = [];
    const done = await download(server.origin, path, {
      expected: { bytes: bytes.length, sha256: sha256(bytes) },
      onProgress: (progress) => seen.push(progress.bytes),
    });
    expect(done).toEqual({
      path,
      bytes: bytes.length,
      sha256: sha256(bytes),
      finalUrl: `${server.origin}/a.edf`,
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['a.edf']);
    expect(seen.at(-1)).toBe(bytes.length);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    const ranges = server.requests.map(({ range }) => range);
    expect(ranges[0]).toBe('bytes=0-');
    expect(ranges.length).toBeGreaterThan(1);
    expect(server.requests.slice(1).every(({ ifRange }) => ifRange !== undefined)).toBe(true);
  });

  it('has as many connections open as were asked for, and no more', async () => {
    let open = 0;
    let peak = 0;
    const big = content('big', 40 * PIECE);
    const origin = await ownServer((request, response) => {
      open++;
      peak = Math.max(peak, open);
      response.on('close', () => open--);
      // Answers wait for each other, so that the connections are there at the same time.
      setTimeout(() => sendRange(big, '"1"', request, response), 40);
    });
    const path = join(folder(), 'a.edf');
    await download(origin, path, { connections: 4, expected: { sha256: sha256(big) } });
    expect(peak).toBeGreaterThan(1);
    expect(peak).toBeLessThanOrEqual(4);
  });

  for (const length of [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 17])
    it(`fetches a file of ${length} bytes`, async () => {
      const data = content('small', length);
      const server = await faultServer(undefined, { files: new Map([['/a.edf', data]]) });
      const path = join(folder(), 'a.edf');
      const done = await download(server.origin, path, { expected: { bytes: length } });
      expect(done.sha256).toBe(sha256(data));
      expect(readFileSync(path).equals(data)).toBe(true);
    });

  it('fetches an empty file, which has no ranges', async () => {
    const server = await faultServer(undefined, { files: new Map([['/a.edf', Buffer.alloc(0)]]) });
    const path = join(folder(), 'a.edf');
    expect((await download(server.origin, path)).bytes).toBe(0);
    expect(existsSync(path)).toBe(true);
  });

  for (const fault of [
    { kind: 'reset-before-headers', first: 5 },
    { kind: 'reset-mid-body', first: 5 },
    { kind: 'stall-before-headers', first: 2 },
    { kind: 'stall-mid-body', first: 2 },
    { kind: 'truncate', first: 6 },
    { kind: 'lie-length', first: 3 },
    { kind: 'cut-chunks', first: 3 },
    { kind: 'status', status: 503, first: 3 },
    { kind: 'status', status: 429, retryAfter: { seconds: 0, as: 'seconds' }, first: 6 },
    { kind: 'wrong-range', first: 2 },
    { kind: 'redirect-chain', length: 3 },
  ] as const satisfies readonly Fault[])
    it(`gets the right bytes in spite of ${JSON.stringify(fault)}`, async () => {
      const server = await faultServer(fault);
      const path = join(folder(), 'a.edf');
      const done = await download(server.origin, path, { expected: { sha256: sha256(bytes) } });
      expect(done.bytes).toBe(bytes.length);
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(readdirSync(join(path, '..'))).toEqual(['a.edf']);
    });

  it('goes on from where each answer was cut', async () => {
    let sent = 0;
    const origin = await ownServer((request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const start = Number(first);
      const end = last === '' ? bytes.length : Number(last) + 1;
      response.writeHead(206, {
        etag: '"1"',
        'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
        'content-length': end - start,
      });
      const part = bytes.subarray(start, Math.min(end, start + 50_000));
      sent += part.length;
      response.write(part, () => setTimeout(() => response.socket?.destroy(), 5));
    });
    const path = join(folder(), 'a.edf');
    await download(origin, path, { expected: { sha256: sha256(bytes) } });
    // Answers may be cut before all of them has been read, but nothing is asked for from the start again.
    expect(sent).toBeLessThan(2 * bytes.length);
  });

  it('makes do with the connections that a host allows, and does not keep knocking', async () => {
    const big = content('few', 40 * PIECE);
    let open = 0;
    let refused = 0;
    const origin = await ownServer((request, response) => {
      if (open === 2) {
        refused++;
        request.socket.resetAndDestroy();
        return;
      }
      open++;
      response.on('close', () => open--);
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const end = last === '' ? big.length : Number(last) + 1;
      let at = Number(first);
      response.writeHead(206, {
        etag: '"1"',
        'content-range': `bytes ${first}-${end - 1}/${big.length}`,
        'content-length': end - at,
      });
      const send = (): void => {
        if (response.destroyed) return;
        response.write(big.subarray(at, Math.min(end, at + 16_384)));
        at = Math.min(end, at + 16_384);
        if (at === end) response.end();
        else setTimeout(send, 3);
      };
      send();
    });
    const path = join(folder(), 'a.edf');
    await download(origin, path, { connections: 8, maxAttempts: 12, expected: { sha256: sha256(big) } });
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(40);
  });

  for (const kind of ['no-ranges', 'weak-etag', 'no-validator'] as const)
    it(`takes one connection where the server has ${kind}`, async () => {
      const server = await faultServer({ kind });
      const path = join(folder(), 'a.edf');
      const done = await download(server.origin, path, { expected: { sha256: sha256(bytes) } });
      expect(done.bytes).toBe(bytes.length);
      expect(server.completed.get(`${server.origin}/a.edf`)).toBeGreaterThan(0);
      expect(readdirSync(join(path, '..'))).toEqual(['a.edf']);
    });

  for (const [name, fault, text] of [
    ['404', { kind: 'status', status: 404 }, 'HTTP 404'],
    ['a redirect loop', { kind: 'redirect-loop' }, 'loop'],
    ['a server that never answers well', { kind: 'status', status: 500 }, 'HTTP 500'],
    [
      'a long Retry-After',
      { kind: 'status', status: 429, retryAfter: { seconds: 9999, as: 'seconds' } },
      '9999 s',
    ],
    ['a redirect to a forbidden address', { kind: 'redirect', to: 'http://10.0.0.1/a.edf' }, '10.0.0.1'],
  ] as const satisfies readonly (readonly [string, Fault, string])[])
    it(`gives up at ${name} with a sentence, and leaves no lock`, async () => {
      const server = await faultServer(fault);
      const path = join(folder(), 'a.edf');
      const guard =
        name === 'a redirect to a forbidden address'
          ? { allowPrivateHosts: false, connectTo: { 'data.example': `127.0.0.1:${server.port}` } }
          : {};
      const origin = 'connectTo' in guard ? 'http://data.example' : server.origin;
      const failure = await download(origin, path, guard).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UserError);
      expect((failure as UserError).message).toContain(text);
      expect(existsSync(path)).toBe(false);
      expect(existsSync(`${path}.part.lock`)).toBe(false);
    });

  it('never joins two versions: it begins anew when the file changes on the way', async () => {
    const versions = [content('old', 30 * PIECE), content('new', 30 * PIECE)] as const;
    let version = 0;
    const origin = await ownServer((request, response, hit) => {
      if (hit === 4) version = 1;
      const etag = `"${version}"`;
      if (version === 1) return sendRange(versions[1], etag, request, response);
      // The old version comes slowly enough for the change to fall into it.
      setTimeout(() => sendRange(versions[0], etag, request, response), 20);
    });
    const path = join(folder(), 'a.edf');
    const done = await download(origin, path);
    const got = sha256(readFileSync(path));
    expect(got).toBe(done.sha256);
    expect([sha256(versions[0]), sha256(versions[1])]).toContain(got);
    expect(version).toBe(1);
  });

  it('refuses a file of another length or digest, and keeps it aside', async () => {
    const server = await faultServer();
    const path = join(folder(), 'a.edf');
    await expect(download(server.origin, path, { expected: { bytes: 5 } })).rejects.toThrow('5 are expected');
    await expect(download(server.origin, path, { expected: { sha256: 'f'.repeat(64) } })).rejects.toThrow(
      'instead of',
    );
    expect(readFileSync(`${path}.wrong`).equals(bytes)).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it('refuses more than the limit before a byte is kept', async () => {
    const server = await faultServer({ kind: 'announce', bytes: 10 ** 10 });
    const path = join(folder(), 'a.edf');
    await expect(download(server.origin, path, { maxBytes: 10 ** 9 })).rejects.toThrow('the limit is');
  });
});
