import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UrlFate } from './fetch_outcome.js';
import { UrlJournal } from './url_journal.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't2t-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function dead(url: string, at = '2030-01-01T00:00:00.000Z'): UrlFate {
  return { url, status: 'failed', kind: 'dead', detail: 'HTTP 404', httpStatus: 404, attempts: 1, at };
}

function fetched(url: string, at = '2030-01-01T00:00:00.000Z'): UrlFate {
  return {
    url,
    status: 'ok',
    sha256: 'ab'.repeat(32),
    bytes: 7,
    format: 'jpeg',
    finalUrl: url,
    attempts: 1,
    at,
  };
}

describe('UrlJournal', () => {
  it('gives back what was set, now and when it is opened again', async () => {
    const journal = UrlJournal.open(folder);
    expect(readdirSync(folder)).toEqual([]);
    const fates = [
      dead('http://a.example/ü'),
      fetched('http://b.example/1\n2'),
      fetched('http://a.example/ü'),
    ];
    for (const fate of fates) journal.set(fate);
    journal.strike('http://c.example/');
    expect(journal.get('http://a.example/ü')).toEqual(fates[2]);
    await journal.close();
    const again = UrlJournal.open(folder);
    expect([...again.fates()]).toEqual([...journal.fates()]);
    expect([again.size, again.damagedLines]).toEqual([3, 0]);
  });

  it('takes the latest of several processes’ fates, and keeps what was struck', async () => {
    const line = (fate: UrlFate): string => `${JSON.stringify(fate)}\n`;
    const later = '2031-01-01T00:00:00.000Z';
    const struck: UrlFate = { ...dead('http://c.example/'), kind: 'struck' } as UrlFate;
    writeFileSync(
      join(folder, '2.jsonl'),
      line(dead('http://a.example/')) + line(dead('http://b.example/', later)) + line(struck),
    );
    writeFileSync(
      join(folder, '1.jsonl'),
      line(fetched('http://a.example/', later)) +
        line(fetched('http://b.example/')) +
        line(fetched('http://c.example/', later)),
    );
    const journal = UrlJournal.open(folder);
    expect(journal.get('http://a.example/')?.status).toBe('ok');
    expect(journal.get('http://b.example/')?.status).toBe('failed');
    expect(journal.get('http://c.example/')).toEqual(struck);
    journal.set(fetched('http://c.example/', '2032-01-01T00:00:00.000Z'));
    expect(journal.get('http://c.example/')).toEqual(struck);
    await journal.close();
  });

  it('cut at any byte loses the last line at most, and damaged anywhere loses that line alone', async () => {
    const journal = UrlJournal.open(folder);
    const urls = Array.from({ length: 20 }, (_, i) => `http://a.example/${i}/é`);
    for (const [i, url] of urls.entries()) journal.set(i % 2 === 0 ? dead(url) : fetched(url));
    await journal.close();
    const path = join(folder, readdirSync(folder)[0] as string);
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (cut, at, byte) => {
        writeFileSync(path, whole.subarray(0, cut));
        const ends = whole.subarray(0, cut).filter((b) => b === 10).length;
        expect(UrlJournal.open(folder).size).toBe(ends);
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        writeFileSync(path, damaged);
        // A line break lost or won touches two lines, anything else one.
        expect(UrlJournal.open(folder).size).toBeGreaterThanOrEqual(urls.length - 2);
      }),
      { numRuns: 300 },
    );
  });

  it('has every fate that a process set before it was killed', async () => {
    const module = new URL('./url_journal.js', import.meta.url).href;
    const script = `
      const { UrlJournal } = await import(${JSON.stringify(module)});
      const journal = UrlJournal.open(${JSON.stringify(folder)});
      for (let i = 0; i < 1000; i++) journal.set({ ...${JSON.stringify(dead(''))}, url: 'http://a.example/' + i });
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const signal = await new Promise((resolve) => child.on('exit', (_code, name) => resolve(name)));
    expect(signal).toBe('SIGKILL');
    expect(UrlJournal.open(folder).size).toBe(1000);
  });

  it('reads lines longer than what it reads at once', async () => {
    const journal = UrlJournal.open(folder);
    const url = `http://a.example/${'x'.repeat(3_000_000)}`;
    journal.set(dead('http://a.example/1'));
    journal.set(dead(url));
    journal.set(dead('http://a.example/2'));
    await journal.close();
    expect([...UrlJournal.open(folder).fates()].map((fate) => fate.url.length)).toEqual([18, url.length, 18]);
  });
});
