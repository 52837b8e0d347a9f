import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  cleanUp,
  fateOf,
  fetchAll,
  ok,
  picture,
  QUICK,
  serve,
  temporaryFolder,
} from '../../fixtures/fetch_kit.js';
import { downloadFile } from './download_file.js';

afterEach(cleanUp);

test('a header that comes twice counts once, and ends nothing', async () => {
  const doubled = await fateOf((_request, response) => {
    response.setHeader('retry-after', ['0', '0']);
    response.writeHead(429).end();
  });
  expect(doubled).toMatchObject({ status: 'failed', kind: 'throttled' });
  const server = await serve({
    '/x.jpg': (_request, response) => {
      response.setHeader('location', ['/there.jpg', '/elsewhere.jpg']);
      response.writeHead(302).end();
    },
    '/there.jpg': ok,
  });
  const { fates } = await fetchAll([`${server.origin}/x.jpg`]);
  expect([...fates.values()]).toMatchObject([{ status: 'ok', finalUrl: `${server.origin}/there.jpg` }]);
});

test('“retry after 0 seconds” is still a pause', async () => {
  const times: number[] = [];
  await fateOf(
    (_request, response) => {
      times.push(performance.now());
      response.writeHead(429, { 'retry-after': '0' }).end();
    },
    { limits: { backoffMs: 40 } },
  );
  expect(times.length).toBe(4);
  expect((times[3] as number) - (times[0] as number)).toBeGreaterThan(100);
});

test('the status decides, however the body of an unwanted answer ends', async () => {
  const cut404 = await fateOf((_request, response) => {
    response.writeHead(404, { 'content-length': 1000 });
    response.write('gone');
    setTimeout(() => response.socket?.destroy(), 20);
  });
  expect(cut404).toMatchObject({ status: 'failed', kind: 'dead', hits: 1 });
  const stalled = await fateOf((_request, response) => {
    response.writeHead(404, { 'content-length': 1000 });
    response.write('gone');
  });
  expect(stalled).toMatchObject({ status: 'failed', kind: 'dead', hits: 1 });
});

test.each([1, 4, 30])('a queue of %i is enough: no URL is left without a fate', async (maxQueued) => {
  const server = await serve({ '*': (request, response) => response.end(picture(String(request.url))) });
  const urls = Array.from({ length: 150 }, (_, i) => `${server.origin}/${i}.jpg`);
  const { fates } = await fetchAll(urls, { limits: { backoffMs: 5, maxQueued } });
  expect(fates.size).toBe(150);
});

test('hosts of a domain that is left for a later run get their fates, also those first seen afterwards', async () => {
  const server = await serve({
    '*': (_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
  });
  const names = Array.from({ length: 40 }, (_, i) => `h${i % 20}.throttling.example`);
  const connectTo = Object.fromEntries(names.map((name) => [name, `127.0.0.1:${server.port}`]));
  const urls = names.map((name, i) => `http://${name}/${i}.jpg`);
  const { fates } = await fetchAll(urls, { connectTo, limits: { backoffMs: 5, maxConcurrent: 2 } });
  expect([...fates.values()].map((fate) => fate.status === 'failed' && fate.kind)).toEqual(
    Array.from({ length: 40 }, () => 'throttled'),
  );
});

test('a robots.txt that leads nowhere does not become a picture’s fate', async () => {
  const server = await serve({
    '/robots.txt': (_request, response) => response.writeHead(302, { location: '/robots.txt' }).end(),
    '/x.jpg': ok,
  });
  const { fates } = await fetchAll([`${server.origin}/x.jpg`]);
  expect([...fates.values()]).toMatchObject([{ status: 'ok' }]);
});

test('a large file whose length was not told at first is whole only when all of it is there', async () => {
  const whole = picture('whole', 5000);
  const server = await serve({
    '/file.zip': (request, response, hit) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (hit === 1) {
        response.writeHead(200, { etag: '"v1"', 'transfer-encoding': 'chunked' });
        response.write(whole.subarray(0, 500));
        setTimeout(() => response.socket?.destroy(), 20);
        return;
      }
      const end = Math.min(whole.length, start + 1500);
      response.writeHead(206, { etag: '"v1"', 'content-range': `bytes ${start}-${end - 1}/${whole.length}` });
      response.end(whole.subarray(start, end));
    },
  });
  const path = join(temporaryFolder(), 'file.zip');
  await downloadFile({ ...QUICK, url: `${server.origin}/file.zip`, path, backoffMs: 5 });
  expect(readFileSync(path).equals(whole)).toBe(true);
});

test('a server that always begins anew and cuts is given up', async () => {
  const server = await serve({
    '/file.zip': (_request, response, hit) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': 100_000 });
      response.write(Buffer.alloc(hit % 2 === 0 ? 20_000 : 50_000));
      setTimeout(() => response.socket?.destroy(), 10);
    },
  });
  const path = join(temporaryFolder(), 'file.zip');
  const url = `${server.origin}/file.zip`;
  await expect(downloadFile({ ...QUICK, url, path, backoffMs: 1, maxAttempts: 5 })).rejects.toThrow();
  expect(server.hits.get('/file.zip')).toBeLessThan(20);
});

test('two processes do not write over each other’s part of a file, and an ended one’s lock is taken over', async () => {
  const server = await serve({ '/file.zip': (_request, response) => response.end(picture('zip')) });
  const path = join(temporaryFolder(), 'file.zip');
  const url = `${server.origin}/file.zip`;
  writeFileSync(`${path}.part.lock`, 'another-machine~12~x');
  await expect(downloadFile({ ...QUICK, url, path })).rejects.toThrow(/another process is fetching/);
  writeFileSync(`${path}.part.lock`, `${hostname()}~999999999~x`);
  await downloadFile({ ...QUICK, url, path });
  expect(readFileSync(path).equals(picture('zip'))).toBe(true);
});

test('an outage of a second costs a few URLs of a host, not all that wait', async () => {
  let isDown = false;
  const server = await serve({
    '*': async (request, response, _hit) => {
      if (isDown) request.socket.destroy();
      else setTimeout(() => response.end(picture(String(request.url))), 5);
    },
  });
  setTimeout(() => {
    isDown = true;
    setTimeout(() => {
      isDown = false;
    }, 1000);
  }, 200);
  const urls = Array.from({ length: 600 }, (_, i) => `${server.origin}/${i}.jpg`);
  const limits = {
    backoffMs: 50,
    maxPerHost: 8,
    requestsPerSecondPerHost: 400,
    requestsPerSecondPerDomain: 400,
  };
  const { fates } = await fetchAll(urls, { limits });
  const lost = [...fates.values()].filter(({ status }) => status === 'failed');
  expect(fates.size).toBe(600);
  expect(lost.length).toBeLessThan(20);
});
