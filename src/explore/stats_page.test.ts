import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeSmallSplit } from '../../fixtures/small_split.js';
import { float32, int64, optional, text } from '../io/features.js';
import { dataStats } from './data_stats.js';
import { shortNumber, ticks } from './plots.js';
import { statsPage } from './stats_page.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-stats-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const features = {
  key: text(),
  'eeg/raw': float32([null, 3]),
  'eeg/channels': text([null]),
  label: text(),
  age: optional(float32()),
  rate: float32(),
  box: float32([2]),
  room: int64(),
};

async function pageOf(label: string, splits: readonly ('train' | 'test')[]): Promise<string> {
  const dir = mkdtempSync(join(folder, 'data-'));
  for (const split of splits)
    writeSmallSplit(dir, {
      problem: 'small',
      split,
      features,
      examples: [0, 1, 2].map((i) => ({
        key: `${split} ${i}`,
        'eeg/raw': [i, 1, 2, 3, i, 5],
        'eeg/channels': ['Cz', '<Pz>'],
        label: i === 0 ? label : 'other',
        ...(i === 0 ? {} : { age: 20 + i }),
        rate: 160,
        box: [i, 2],
        room: i * 7,
      })),
      dataset: { title: '<script>alert(1)</script>' },
    });
  return statsPage(await dataStats(dir, 'small'));
}

test('the page has no scripts and takes all text as text', async () => {
  const page = await pageOf('"><script>x</script>', ['train', 'test']);
  expect(page).not.toMatch(/<script/i);
  expect(page).toContain('&#60;script&#62;alert(1)');
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/(src|href)="(?!#)/);
});

test('every plot has a title and a description of its own', async () => {
  const page = await pageOf('left', ['train', 'test']);
  const plots = page.match(/<svg class="plot"[\s\S]*?<\/svg>/g) ?? [];
  expect(plots.length).toBeGreaterThan(4);
  for (const plot of plots) {
    const [, title, description] = /aria-labelledby="(\S+) (\S+)"/.exec(plot) ?? [];
    expect(plot).toMatch(
      new RegExp(`<title id="${title}">[^<]+</title><desc id="${description}">[^<]+</desc>`),
    );
  }
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('no number on the page is NaN, infinite or undefined, also where there is one split of little', async () => {
  for (const page of [await pageOf('left', ['train']), await pageOf('other', ['test'])])
    expect(page.replace(/<style>[\s\S]*?<\/style>/, '')).not.toMatch(/NaN|Infinity|undefined|null/);
});

test('what is always the same is said, not drawn', async () => {
  expect(await pageOf('left', ['train'])).toMatch(/rate<\/h3><p>Always 160\.<\/p><\/figure>/);
});

test('ticks are round numbers within the range', () => {
  expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(-42.7, 41.3)).toEqual([-40, -20, 0, 20, 40]);
  expect(ticks(5, 5)).toEqual([5]);
});

test('numbers are short', () => {
  expect([0, 1234567, -0.5, 0.0000123, 16812, 2.34567].map(shortNumber)).toEqual([
    '0',
    '1.23M',
    '−0.5',
    '1.2e-5',
    '16.8k',
    '2.346',
  ]);
});
