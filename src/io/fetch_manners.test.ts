import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, fetchAll, ok, serve } from '../../fixtures/fetch_kit.js';

afterEach(cleanUp);

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
