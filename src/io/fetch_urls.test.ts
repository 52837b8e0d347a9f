import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ContentStore, contentHash } from './content_store.js';
import type { FetchFailureKind, UrlFate } from './fetch_outcome.js';
import { type FetchEvent, type FetchUrlsOptions, fetchUrls } from './fetch_urls.js';
import { UrlJournal } from './url_journal.js';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Begins like a JPEG file; `label` makes it unlike any other. */
function picture(label: string, bytes = 3000): Buffer {
  const body = Buffer.alloc(bytes, label);
  body.writeUInt32BE(0xffd8ffe0, 0);
  return body;
}

type Handler = (request: IncomingMessage, response: ServerResponse, hit: number) => void;

interface TestServer {
  readonly origin: string;
  readonly port: number;
  /** Requests by path, with the Host header in front where it is not 127.0.0.1. */
  readonly hits: Map<string, number>;
  /** Open at the moment. */
  connections(): Promise<number>;
}

/** A real server whose routes may do to the socket what they like; 404 elsewhere, robots.txt included. */
async function serve(routes: Record<string, Handler>): Promise<TestServer> {
  const hits = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const host = request.headers.host?.startsWith('127.0.0.1') ? '' : `${request.headers.host}`;
    const key = `${host}${path}`;
    const hit = (hits.get(key) ?? 0) + 1;
    hits.set(key, hit);
    const route = routes[key] ?? routes[path] ?? routes['*'];
    if (path === '/robots.txt' && routes[key] === undefined && routes[path] === undefined)
      response.writeHead(404).end();
    else if (route === undefined) response.writeHead(404).end('no such page');
    else route(request, response, hit);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  return { origin: `http://127.0.0.1:${port}`, port, hits, connections };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 't2t-fetch-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Time limits and pauses so short that every fault shows within a second. */
const QUICK = {
  allowPrivateHosts: true,
  limits: { backoffMs: 5 },
  timeouts: { connectTimeoutMs: 500, headersTimeoutMs: 200, bodyTimeoutMs: 200, totalTimeoutMs: 3000 },
} as const;

interface Run {
  readonly fates: Map<string, UrlFate>;
  readonly events: FetchEvent[];
  readonly folder: string;
}

async function fetchAll(
  urls: readonly string[],
  options: Partial<FetchUrlsOptions> = {},
  folder = temporaryFolder(),
): Promise<Run> {
  const journal = UrlJournal.open(join(folder, 'journal'));
  const store = new ContentStore(join(folder, 'files'));
  const fates = new Map<string, UrlFate>();
  const events: FetchEvent[] = [];
  const onEvent = (event: FetchEvent): void => void events.push(event);
  for await (const fate of fetchUrls(urls, { ...QUICK, store, journal, onEvent, ...options })) {
    expect(fates.has(fate.url)).toBe(false);
    fates.set(fate.url, fate);
  }
  await journal.close();
  return { fates, events, folder };
}

/** The one fate of a URL, as `kind: detail` where it failed. */
async function fateOf(
  handler: Handler,
  options: Partial<FetchUrlsOptions> = {},
): Promise<UrlFate & { hits: number }> {
  const server = await serve({ '/x.jpg': handler });
  const url = `${server.origin}/x.jpg`;
  const { fates } = await fetchAll([url], options);
  return { ...(fates.get(url) as UrlFate), hits: server.hits.get('/x.jpg') ?? 0 };
}

const ok: Handler = (_request, response) => response.end(picture('ok'));

describe('a URL that can be had', () => {
  it('is stored under its hash and journaled with its format', async () => {
    const server = await serve({ '/a.jpg': ok });
    const url = `${server.origin}/a.jpg`;
    const { fates, folder } = await fetchAll([url, url]);
    const expected = picture('ok');
    expect(fates.get(url)).toMatchObject({
      status: 'ok',
      sha256: contentHash(expected),
      bytes: expected.length,
      format: 'jpeg',
      finalUrl: url,
      attempts: 1,
    });
    expect(new ContentStore(join(folder, 'files')).read(contentHash(expected))).toEqual(expected);
    expect(server.hits.get('/a.jpg')).toBe(1);
    expect(UrlJournal.open(join(folder, 'journal')).get(url)).toEqual(fates.get(url));
  });

  it('is not asked for again by a second run, unless its file is gone', async () => {
    const server = await serve({ '/a.jpg': ok });
    const url = `${server.origin}/a.jpg`;
    const { folder, fates } = await fetchAll([url]);
    const again = await fetchAll([url], {}, folder);
    expect(again.fates.get(url)).toEqual(fates.get(url));
    expect(server.hits.get('/a.jpg')).toBe(1);
    new ContentStore(join(folder, 'files')).remove(contentHash(picture('ok')));
    expect((await fetchAll([url], {}, folder)).fates.get(url)?.status).toBe('ok');
    expect(server.hits.get('/a.jpg')).toBe(2);
  });

  it('is found behind redirects, and packed although nobody asked for that', async () => {
    const { gzipSync } = await import('node:zlib');
    const server = await serve({
      '/a': (_request, response) => response.writeHead(301, { location: 'b?x=1' }).end(),
      '/b?x=1': (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(picture('packed'))),
    });
    const { fates } = await fetchAll([`${server.origin}/a`]);
    expect(fates.get(`${server.origin}/a`)).toMatchObject({
      status: 'ok',
      sha256: contentHash(picture('packed')),
      finalUrl: `${server.origin}/b?x=1`,
    });
  });

  it('is stored by the writing threads where there are many', async () => {
    const server = await serve({
      '*': (request, response) => response.end(picture(request.url ?? '', 2000 + (request.url?.length ?? 0))),
    });
    const urls = Array.from({ length: 600 }, (_, i) => `${server.origin}/${i}.jpg`);
    const { fates, folder } = await fetchAll(urls);
    const store = new ContentStore(join(folder, 'files'));
    expect([...fates.values()].filter(({ status }) => status === 'ok')).toHaveLength(600);
    for (const fate of fates.values())
      expect(fate.status === 'ok' && store.read(fate.sha256)?.length).toBe(
        fate.status === 'ok' && fate.bytes,
      );
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

describe('alternatives', () => {
  const alternatives = (url: string) =>
    url.endsWith('/gone.jpg')
      ? [
          { rule: 'also-gone', url: url.replace('gone', 'gone2') },
          { rule: 'smaller', url: url.replace('gone', 'small') },
        ]
      : [];

  it('are tried in order when a URL is dead, and the rule that helped is recorded', async () => {
    const server = await serve({ '/small.jpg': ok });
    const url = `${server.origin}/gone.jpg`;
    const { fates } = await fetchAll([url], { alternatives });
    expect(fates.get(url)).toMatchObject({
      status: 'ok',
      alternative: 'smaller',
      finalUrl: `${server.origin}/small.jpg`,
      attempts: 3,
    });
  });

  it('that all fail leave the URL’s own failure, unless one may come back', async () => {
    const server = await serve({});
    const url = `${server.origin}/gone.jpg`;
    expect((await fetchAll([url], { alternatives })).fates.get(url)).toMatchObject({
      kind: 'dead',
      attempts: 3,
    });
    const shaky = await serve({ '/small.jpg': (_request, response) => response.writeHead(500).end() });
    const other = `${shaky.origin}/gone.jpg`;
    expect((await fetchAll([other], { alternatives })).fates.get(other)).toMatchObject({
      kind: 'server-error',
      detail: 'HTTP 500 (as smaller)',
    });
  });

  it('are tried too when a placeholder shows that the picture is gone', async () => {
    const server = await serve({
      '/gone.jpg': (_request, response) => response.writeHead(302, { location: '/unavailable.png' }).end(),
      '/unavailable.png': (_request, response) => response.end(picture('unavailable')),
      '/small.jpg': ok,
    });
    const url = `${server.origin}/gone.jpg`;
    const isPlaceholder = (finalUrl: string): boolean => finalUrl.endsWith('/unavailable.png');
    const { fates } = await fetchAll([url], { alternatives, isPlaceholder });
    expect(fates.get(url)).toMatchObject({ status: 'ok', alternative: 'smaller' });
    const without = await fetchAll([url], { isPlaceholder });
    expect(without.fates.get(url)).toMatchObject({ status: 'failed', kind: 'dead' });
  });
});

describe('robots.txt', () => {
  it('is asked for once, and what it disallows is never asked for', async () => {
    const server = await serve({
      '/robots.txt': (_request, response) =>
        response.end('User-agent: t2t-ts\nDisallow: /private/\n\nUser-agent: *\nDisallow: /\n'),
      '*': ok,
    });
    const urls = ['/private/1.jpg', '/2.jpg', '/3.jpg', '/4.jpg'].map((path) => `${server.origin}${path}`);
    const { fates } = await fetchAll(urls);
    expect(fates.get(urls[0] as string)).toMatchObject({
      kind: 'opt-out',
      attempts: 0,
      detail: expect.stringContaining('line 2'),
    });
    for (const url of urls.slice(1)) expect(fates.get(url)?.status).toBe('ok');
    expect(server.hits.get('/robots.txt')).toBe(1);
    expect(server.hits.has('/private/1.jpg')).toBe(false);
  });

  it('holds behind a redirect', async () => {
    const server = await serve({
      '/robots.txt': (_request, response) => response.end('User-agent: *\nDisallow: /private/\n'),
      '/a.jpg': (_request, response) => response.writeHead(302, { location: '/private/a.jpg' }).end(),
    });
    const { fates } = await fetchAll([`${server.origin}/a.jpg`]);
    expect(fates.get(`${server.origin}/a.jpg`)).toMatchObject({ kind: 'opt-out' });
    expect(server.hits.has('/private/a.jpg')).toBe(false);
  });

  it('sets the pace with Crawl-delay', async () => {
    const times: number[] = [];
    const server = await serve({
      '/robots.txt': (_request, response) => response.end('User-agent: *\nCrawl-delay: 0.2\n'),
      '*': (request, response, hit) => {
        times.push(performance.now());
        ok(request, response, hit);
      },
    });
    await fetchAll(Array.from({ length: 4 }, (_, i) => `${server.origin}/${i}.jpg`));
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    for (const gap of gaps) expect(gap).toBeGreaterThan(150);
  });

  it('that can’t be had for a fault of the server allows, and is noted', async () => {
    const server = await serve({
      '/robots.txt': (_request, response) => response.writeHead(500).end(),
      '/a.jpg': ok,
    });
    const { fates, events } = await fetchAll([`${server.origin}/a.jpg`]);
    expect(fates.get(`${server.origin}/a.jpg`)?.status).toBe('ok');
    expect(events).toContainEqual({
      type: 'note',
      text: expect.stringContaining('robots.txt can’t be had (HTTP 500)'),
    });
  });
});

describe('an address that may not be reached', () => {
  it('is refused by name, by number, behind a redirect and behind a name that resolves otherwise the second time', async () => {
    const server = await serve({
      'public.example/to-loopback.jpg': (_request, response) =>
        response.writeHead(302, { location: `http://127.0.0.1:${server.port}/secret.jpg` }).end(),
      'public.example/to-metadata.jpg': (_request, response) =>
        response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
      'public.example/to-rebound.jpg': (_request, response) =>
        response.writeHead(302, { location: 'http://rebound.example/secret.jpg' }).end(),
    });
    const refused = [
      `http://127.0.0.1:${server.port}/secret.jpg`,
      `http://localhost:${server.port}/secret.jpg`,
      `http://0x7f.1:${server.port}/secret.jpg`,
      `http://2130706433:${server.port}/secret.jpg`,
      `http://[::1]:${server.port}/secret.jpg`,
      `http://[::ffff:127.0.0.1]:${server.port}/secret.jpg`,
      'http://public.example/to-loopback.jpg',
      'http://public.example/to-metadata.jpg',
      'http://public.example/to-rebound.jpg',
    ];
    const asked: string[] = [];
    const { fates } = await fetchAll(refused, {
      allowPrivateHosts: false,
      connectTo: { 'public.example': `127.0.0.1:${server.port}` },
      lookup: (hostname, options, callback) => {
        asked.push(hostname);
        if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      },
    });
    for (const url of refused)
      expect([url, fates.get(url)]).toMatchObject([url, { kind: 'forbidden-address' }]);
    expect(asked).toContain('rebound.example');
    expect([...server.hits.keys()].filter((key) => key.includes('secret'))).toEqual([]);
  });

  it('is reached where the person leads a host there, with the host’s own name', async () => {
    const server = await serve({ 'photos.example:8080/a.jpg': ok });
    const url = 'http://photos.example:8080/a.jpg';
    const { fates } = await fetchAll([url], {
      allowPrivateHosts: false,
      connectTo: { 'photos.example:8080': `127.0.0.1:${server.port}` },
    });
    expect(fates.get(url)).toMatchObject({ status: 'ok', finalUrl: url });
  });
});

describe('what the journal knows', () => {
  it('is asked for again only where its kind is to be retried, and never where it was struck', async () => {
    const server = await serve({
      '/500.jpg': (_request, response) => response.writeHead(500).end(),
      '/struck.jpg': ok,
    });
    const [dead, shaky, struck] = ['/404.jpg', '/500.jpg', '/struck.jpg'].map(
      (path) => server.origin + path,
    ) as [string, string, string];
    const folder = temporaryFolder();
    const journal = UrlJournal.open(join(folder, 'journal'));
    journal.strike(struck);
    await journal.close();
    const urls = [dead, shaky, struck];
    await fetchAll(urls, { maxAttempts: 1 }, folder);
    expect([server.hits.get('/404.jpg'), server.hits.get('/500.jpg')]).toEqual([1, 1]);
    await fetchAll(urls, { maxAttempts: 1 }, folder);
    expect([server.hits.get('/404.jpg'), server.hits.get('/500.jpg')]).toEqual([1, 2]);
    const { fates } = await fetchAll(urls, { maxAttempts: 1, retryKinds: () => true }, folder);
    expect([
      server.hits.get('/404.jpg'),
      server.hits.get('/500.jpg'),
      server.hits.get('/struck.jpg'),
    ]).toEqual([2, 3, undefined]);
    expect(fates.get(struck)).toMatchObject({ kind: 'struck' });
  });
});

describe('stopping', () => {
  it('ends the iteration without an error, and what was in flight has no fate', async () => {
    const stop = new AbortController();
    const server = await serve({
      '/quick.jpg': ok,
      '/slow.jpg': () => setTimeout(() => stop.abort(), 50),
    });
    const { fates, folder } = await fetchAll([`${server.origin}/quick.jpg`, `${server.origin}/slow.jpg`], {
      signal: stop.signal,
      timeouts: { ...QUICK.timeouts, headersTimeoutMs: 5000 },
    });
    expect([...fates.keys()]).toEqual([`${server.origin}/quick.jpg`]);
    expect(UrlJournal.open(join(folder, 'journal')).get(`${server.origin}/slow.jpg`)).toBeUndefined();
  });

  it('by leaving the loop closes every connection', async () => {
    const server = await serve({ '*': ok });
    const folder = temporaryFolder();
    const journal = UrlJournal.open(join(folder, 'journal'));
    const store = new ContentStore(join(folder, 'files'));
    const endless = (function* () {
      for (let i = 0; ; i++) yield `${server.origin}/${i}.jpg`;
    })();
    let fates = 0;
    for await (const fate of fetchUrls(endless, { ...QUICK, store, journal })) {
      expect(fate.status).toBe('ok');
      if (++fates === 500) break;
    }
    await vi.waitFor(async () => expect(await server.connections()).toBe(0));
    await journal.close();
  });

  it('throws what the list of URLs throws', async () => {
    const server = await serve({ '*': ok });
    const folder = temporaryFolder();
    const journal = UrlJournal.open(join(folder, 'journal'));
    const broken = (function* () {
      yield `${server.origin}/1.jpg`;
      throw new Error('row 2 is broken');
    })();
    const read = async (): Promise<void> => {
      for await (const _ of fetchUrls(broken, {
        ...QUICK,
        store: new ContentStore(join(folder, 'files')),
        journal,
      }));
    };
    await expect(read()).rejects.toThrow('row 2 is broken');
    await journal.close();
  });
});

function flood(response: ServerResponse): void {
  response.writeHead(200);
  const more = (): void => void (response.destroyed || response.write(Buffer.alloc(8192), more));
  more();
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
