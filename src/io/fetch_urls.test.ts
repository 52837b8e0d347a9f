import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cleanUp, fetchAll, ok, picture, QUICK, serve, temporaryFolder } from '../../fixtures/fetch_kit.js';
import { ContentStore, contentHash } from './content_store.js';
import { fetchUrls } from './fetch_urls.js';
import { UrlJournal } from './url_journal.js';

afterEach(cleanUp);

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
