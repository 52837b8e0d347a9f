import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentStore } from './content_store.js';
import { fetchUrls } from './fetch_urls.js';
import { seededRandom } from './random.js';
import { UrlJournal } from './url_journal.js';

let folder: string;
let server: Server;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't2t-fetch-slow-'));
});
afterEach(async () => {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  rmSync(folder, { recursive: true, force: true });
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function picture(label: string): Buffer {
  const bytes = Buffer.alloc(2000, label);
  bytes.writeUInt32BE(0xffd8ffe0, 0);
  return bytes;
}

/** Runs a module's text in a process of its own. */
function runScript(script: string): { child: ChildProcess; ended: Promise<void> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { child, ended: new Promise((resolve) => child.on('exit', () => resolve())) };
}

const moduleUrl = (name: string): string => JSON.stringify(new URL(`./${name}`, import.meta.url).href);

describe('20,000 URLs, a quarter of them at a site that throttles', () => {
  it('has all the others before that site is done with, though its URLs come first', {
    timeout: 180_000,
  }, async () => {
    // The site lets five requests a tenth of a second through.
    let allowance = 5;
    const refill = setInterval(() => {
      allowance = 5;
    }, 100);
    const port = await listen((request, response) => {
      if (request.url === '/robots.txt') response.writeHead(404).end();
      else if (request.headers.host?.endsWith('throttled.example') !== true)
        response.end(picture(request.url ?? ''));
      else if (allowance-- > 0) response.end(picture(request.url ?? ''));
      else response.writeHead(429, { 'retry-after': '1' }).end();
    });
    const connectTo: Record<string, string> = {};
    const urls: string[] = [];
    for (let i = 0; i < 5000; i++) urls.push(`http://farm${i % 9}.throttled.example/${i}.jpg`);
    for (let i = 0; i < 15_000; i++) urls.push(`http://www.site-${i % 500}.example/${i}.jpg`);
    for (const url of urls) connectTo[new URL(url).host] = `127.0.0.1:${port}`;
    const journal = UrlJournal.open(join(folder, 'journal'));
    const stop = new AbortController();
    const waited = new Set<string>();
    const counts = { good: 0, throttled: 0 };
    let whenGoodWereDone = Number.NaN;
    const fates = fetchUrls(urls, {
      store: new ContentStore(join(folder, 'files')),
      journal,
      connectTo,
      signal: stop.signal,
      limits: { maxPerHost: 8, maxPerDomain: 16 },
      onEvent: (event) => {
        if (event.type === 'waiting') for (const { host } of event.hosts) waited.add(host);
      },
    });
    for await (const fate of fates) {
      if (fate.url.includes('throttled.example')) counts.throttled += 1;
      else if (fate.status === 'ok' && ++counts.good === 15_000) {
        whenGoodWereDone = counts.throttled;
        stop.abort();
      }
    }
    clearInterval(refill);
    await journal.close();
    expect(counts.good).toBe(15_000);
    expect(whenGoodWereDone).toBeLessThan(2500);
    expect([...waited]).toEqual(['throttled.example']);
  });
});

describe('a run that is killed at any moment', () => {
  it('asks for no URL again that it had finished, and ends with all files', {
    timeout: 180_000,
  }, async () => {
    const hits = new Map<string, number>();
    const port = await listen((request, response) => {
      const url = request.url ?? '/';
      hits.set(url, (hits.get(url) ?? 0) + 1);
      if (url === '/robots.txt') response.writeHead(404).end();
      else if (url.endsWith('7.jpg')) response.writeHead(404).end();
      else setTimeout(() => response.end(picture(url)), 3);
    });
    const urls = Array.from({ length: 4000 }, (_, i) => `http://127.0.0.1:${port}/${i}.jpg`);
    const script = `
      const { ContentStore } = await import(${moduleUrl('content_store.js')});
      const { fetchUrls } = await import(${moduleUrl('fetch_urls.js')});
      const { UrlJournal } = await import(${moduleUrl('url_journal.js')});
      const journal = UrlJournal.open(${JSON.stringify(join(folder, 'journal'))});
      const store = new ContentStore(${JSON.stringify(join(folder, 'files'))});
      const urls = Array.from({ length: 4000 }, (_, i) => 'http://127.0.0.1:${port}/' + i + '.jpg');
      for await (const _ of fetchUrls(urls, { store, journal, allowPrivateHosts: true, limits: { maxConcurrent: 8 } }));
      await journal.close();`;
    const random = seededRandom('fetch_urls/kill');
    const finished = new Map<string, number>();
    let kills = 0;
    for (; kills < 8; kills++) {
      const { child, ended } = runScript(script);
      await Promise.race([sleep(200 + random.below(500)), ended]);
      if (child.exitCode !== null) break;
      child.kill('SIGKILL');
      await ended;
      for (const { url } of UrlJournal.open(join(folder, 'journal')).fates()) {
        const path = new URL(url).pathname;
        if (!finished.has(path)) finished.set(path, hits.get(path) ?? 0);
      }
    }
    await runScript(script).ended;
    expect(kills).toBeGreaterThan(1);
    expect(finished.size).toBeGreaterThan(100);
    for (const [path, before] of finished) expect([path, hits.get(path)]).toEqual([path, before]);
    const journal = UrlJournal.open(join(folder, 'journal'));
    const store = new ContentStore(join(folder, 'files'));
    for (const url of urls) {
      const fate = journal.get(url);
      const path = new URL(url).pathname;
      if (path.endsWith('7.jpg')) expect([path, fate]).toMatchObject([path, { kind: 'dead' }]);
      else expect(fate?.status === 'ok' && store.read(fate.sha256)?.equals(picture(path))).toBe(true);
    }
  });

  it('goes on with a large file where it was', { timeout: 180_000 }, async () => {
    const bytes = Buffer.alloc(60_000_000);
    const random = seededRandom('download/kill');
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(random.below(2 ** 32), i);
    const starts: number[] = [];
    let sent = 0;
    const port = await listen(async (request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      starts.push(start);
      const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
      response.writeHead(start > 0 ? 206 : 200, {
        etag: '"v1"',
        'content-length': bytes.length - start,
        ...(start > 0 ? range : {}),
      });
      for (let at = start; at < bytes.length && !response.destroyed; at += 500_000) {
        const piece = bytes.subarray(at, at + 500_000);
        sent += piece.length;
        response.write(piece);
        await sleep(5);
      }
      response.end();
    });
    const path = join(folder, 'archive.tar');
    const script = `
      const { downloadFile } = await import(${moduleUrl('download_file.js')});
      await downloadFile({ url: 'http://127.0.0.1:${port}/archive.tar', path: ${JSON.stringify(path)}, allowPrivateHosts: true });`;
    for (let kills = 0; kills < 4 && !existsSync(path); kills++) {
      const { child, ended } = runScript(script);
      await Promise.race([sleep(300 + random.below(300)), ended]);
      child.kill('SIGKILL');
      await ended;
    }
    if (!existsSync(path)) await runScript(script).ended;
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(starts.filter((start) => start > 0).length).toBeGreaterThan(0);
    expect([...starts].sort((a, b) => a - b)).toEqual(starts);
    // What was on its way when a process was killed is sent again, no more.
    expect(sent).toBeLessThan(bytes.length * 1.6);
  });
});
