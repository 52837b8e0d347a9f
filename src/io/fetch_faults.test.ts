import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  cleanUp,
  closedPort,
  fateOf,
  fetchAll,
  type Handler,
  ok,
  picture,
  QUICK,
  serve,
} from '../../fixtures/fetch_kit.js';
import type { FetchFailureKind } from './fetch_outcome.js';

afterEach(cleanUp);

describe('bodies of several megabytes', () => {
  it('wait for each other beyond a few at once, and waiting is no time-out', async () => {
    const large = picture('large', 3_000_000);
    const server = await serve({
      '*': async (request, response) => {
        const isSlow = request.url?.startsWith('/slow') === true;
        response.writeHead(200, { 'content-length': large.length });
        for (let at = 0; at < large.length; at += 500_000) {
          response.write(large.subarray(at, at + 500_000));
          if (isSlow) await sleep(100);
        }
        response.end();
      },
    });
    const urls = Array.from(
      { length: 10 },
      (_, i) => `${server.origin}/${i < 4 ? 'slow' : 'quick'}-${i}.jpg`,
    );
    const { fates } = await fetchAll(urls, { maxAttempts: 1 });
    for (const url of urls)
      expect([url, fates.get(url)]).toMatchObject([url, { status: 'ok', bytes: large.length }]);
  });
});

describe('a URL that fails', () => {
  const reset: Handler = (request) => request.socket.resetAndDestroy();
  const half = picture('half').subarray(0, 1000);
  const faults: [string, FetchFailureKind, RegExp, number, Handler][] = [
    ['404', 'dead', /HTTP 404/, 1, (_q, response) => response.writeHead(404).end()],
    ['410', 'dead', /HTTP 410/, 1, (_q, response) => response.writeHead(410).end()],
    ['401', 'http-error', /HTTP 401/, 1, (_q, response) => response.writeHead(401).end()],
    ['403', 'http-error', /HTTP 403/, 1, (_q, response) => response.writeHead(403).end('x'.repeat(200_000))],
    ['500', 'server-error', /HTTP 500/, 4, (_q, response) => response.writeHead(500).end()],
    ['503 without a word', 'server-error', /HTTP 503/, 4, (_q, response) => response.writeHead(503).end()],
    [
      '503 that says when',
      'throttled',
      /HTTP 503/,
      4,
      (_q, response) => response.writeHead(503, { 'retry-after': '0' }).end(),
    ],
    ['429 for ever', 'throttled', /HTTP 429/, 4, (_q, response) => response.writeHead(429).end()],
    ['a reset before the headers', 'connection', /./, 4, reset],
    [
      'a reset in the middle of the body',
      'connection',
      /./,
      4,
      (request, response) => {
        response.writeHead(200, { 'content-length': 3000 });
        response.write(half, () => setTimeout(() => request.socket.resetAndDestroy(), 30));
      },
    ],
    [
      'fewer bytes than announced',
      'truncated',
      /fewer bytes|before the end/,
      4,
      (request, response) => {
        response.writeHead(200, { 'content-length': 3000 });
        response.write(half, () => request.socket.end());
      },
    ],
    [
      'chunks without the last one',
      'truncated',
      /before the end/,
      4,
      (request, response) => {
        response.write(half, () => request.socket.end());
      },
    ],
    [
      'more bytes than announced',
      'truncated',
      /more bytes/,
      4,
      (request) =>
        void request.socket.write(
          Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n'), picture('more')]),
        ),
    ],
    ['a stall before the headers', 'timeout', /no headers within 200 ms/, 4, () => {}],
    [
      'a stall in the middle of the body',
      'timeout',
      /nothing more of the body within 200 ms/,
      4,
      (_q, response) => {
        response.writeHead(200, { 'content-length': 3000 });
        response.write(half);
      },
    ],
    [
      'a web page for a picture',
      'wrong-content',
      /not an image.*DOCTYPE/,
      1,
      (_q, response) => response.end('<!DOCTYPE html><p>Log in'),
    ],
    ['an empty body', 'wrong-content', /empty/, 1, (_q, response) => response.end()],
    [
      'a length beyond the limit',
      'too-large',
      /40000 bytes/,
      1,
      (_q, response) => response.writeHead(200, { 'content-length': 40_000 }).write('x'),
    ],
    ['an endless body', 'too-large', /the limit is 20000/, 1, (_q, response) => flood(response)],
    [
      'an unknown encoding',
      'wrong-content',
      /not supported/,
      1,
      (_q, response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x'),
    ],
    [
      'X-Robots-Tag',
      'opt-out',
      /noimageai/,
      1,
      (_q, response) => response.writeHead(200, { 'x-robots-tag': 'noimageai, noai' }).end(picture('no')),
    ],
    [
      'X-Robots-Tag for us',
      'opt-out',
      /noindex/,
      1,
      (_q, response) =>
        response.writeHead(200, { 'x-robots-tag': ['otherbot: noai', 't2t-ts: noindex'] }).end(picture('no')),
    ],
    [
      'a redirect to itself',
      'redirects',
      /loop/,
      1,
      (_q, response) => response.writeHead(302, { location: '/x.jpg' }).end(),
    ],
    [
      'a redirect without end',
      'redirects',
      /more than 5/,
      1,
      (_q, response) => response.writeHead(302, { location: '/1' }).end(),
    ],
    [
      'a redirect to a file',
      'bad-url',
      /file:/,
      1,
      (_q, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    ],
    [
      'what is not HTTP',
      'connection',
      /./,
      4,
      (request) => void request.socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
    ],
  ];
  for (const [name, kind, detail, hits, handler] of faults)
    it(`by ${name} is ${kind} after ${hits} request${hits > 1 ? 's' : ''}`, async () => {
      const server = await serve({
        '/x.jpg': handler,
        '*': (request, response) =>
          response.writeHead(302, { location: `/${Number(request.url?.slice(1)) + 1}` }).end(),
      });
      const url = `${server.origin}/x.jpg`;
      const { fates } = await fetchAll([url], { maxBytes: 20_000 });
      const fate = fates.get(url);
      expect(fate).toMatchObject({ status: 'failed', kind, attempts: hits });
      expect(fate?.status === 'failed' && fate.detail).toMatch(detail);
      expect(server.hits.get('/x.jpg')).toBe(hits);
    });

  it('by dripping is a time-out that says too slow', async () => {
    const fate = await fateOf(
      (_request, response) => {
        response.writeHead(200, { 'content-length': 3000 });
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      },
      { timeouts: { ...QUICK.timeouts, slowAfterMs: 150, minBytesPerSecond: 10_000 }, maxAttempts: 1 },
    );
    expect(fate).toMatchObject({ kind: 'timeout', detail: expect.stringContaining('too slow') });
  });

  it('by taking too long altogether is a time-out', async () => {
    const fate = await fateOf(
      (_request, response) => {
        response.writeHead(200, { 'content-length': 3000 });
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      },
      { timeouts: { ...QUICK.timeouts, totalTimeoutMs: 150 }, maxAttempts: 1 },
    );
    expect(fate).toMatchObject({ kind: 'timeout', detail: 'not finished within 150 ms' });
  });

  it('by a refused connection, a name that is not there, or a spelling that is none, says which', async () => {
    const server = await serve({});
    const free = `http://127.0.0.1:${await closedPort()}/x.jpg`;
    const urls = [
      free,
      'http://nobody.invalid/x.jpg',
      'ftp://example.org/x.jpg',
      'x.jpg',
      `http://me:pw@127.0.0.1:${server.port}/`,
    ];
    const { fates } = await fetchAll(urls);
    const kinds = urls
      .map((url) => fates.get(url))
      .map((fate) => fate?.status === 'failed' && [fate.kind, fate.attempts]);
    expect(kinds).toEqual([
      ['connection', 4],
      ['dns', 1],
      ['bad-url', 0],
      ['bad-url', 0],
      ['bad-url', 0],
    ]);
  });

  it('first and then answers well is ok after a retry', async () => {
    const fate = await fateOf((request, response, hit) =>
      hit === 1
        ? reset(request, response, hit)
        : hit === 2
          ? void response.writeHead(500).end()
          : ok(request, response, hit),
    );
    expect(fate).toMatchObject({ status: 'ok', attempts: 3, hits: 3 });
  });
});

describe('a host that throttles', () => {
  it('is asked again no sooner than its Retry-After says, and is named as being waited for', async () => {
    const times: number[] = [];
    const server = await serve({
      '/x.jpg': (request, response, hit) => {
        times.push(Date.now());
        if (hit === 1) response.writeHead(429, { 'retry-after': '1' }).end();
        else ok(request, response, hit);
      },
    });
    const { fates, events } = await fetchAll([`${server.origin}/x.jpg`]);
    expect(fates.get(`${server.origin}/x.jpg`)).toMatchObject({ status: 'ok', attempts: 2 });
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(995);
    const waiting = events.flatMap((event) => (event.type === 'waiting' ? [event.hosts] : []));
    expect(waiting[0]).toMatchObject([{ host: `127.0.0.1:${server.port}`, urls: 1 }]);
    expect(waiting.at(-1)).toEqual([]);
  });

  it('for longer than we wait leaves its URLs for a later run without asking for them', async () => {
    const server = await serve({
      '*': (_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
    });
    const urls = Array.from({ length: 50 }, (_, i) => `${server.origin}/${i}.jpg`);
    const { fates, folder } = await fetchAll(urls, { limits: { maxConcurrent: 2 } });
    expect(fates.size).toBe(50);
    for (const fate of fates.values()) expect(fate).toMatchObject({ status: 'failed', kind: 'throttled' });
    expect([...fates.values()].filter(({ attempts }) => attempts === 0).length).toBeGreaterThanOrEqual(48);
    expect([...server.hits.values()].reduce((sum, hits) => sum + hits, 0)).toBeLessThanOrEqual(3);
    await fetchAll(urls.slice(0, 1), { limits: { maxConcurrent: 2 } }, folder);
    expect(server.hits.get('/0.jpg')).toBe(2);
  });
});

describe('a host that does not answer', () => {
  it('is given up after a number of failures in a row, and its other URLs are told so', async () => {
    const port = await closedPort();
    const urls = Array.from({ length: 200 }, (_, i) => `http://127.0.0.1:${port}/${i}.jpg`);
    const { fates } = await fetchAll(urls, {
      limits: { backoffMs: 1, maxConcurrent: 4, maxHostFailures: 10 },
    });
    expect(fates.size).toBe(200);
    const unasked = [...fates.values()].filter(
      (fate) => fate.status === 'failed' && /not asked/.test(fate.detail),
    );
    expect(unasked.length).toBeGreaterThan(150);
  });
});

function flood(response: ServerResponse): void {
  response.writeHead(200);
  const more = (): void => void (response.destroyed || response.write(Buffer.alloc(8192), more));
  more();
}
