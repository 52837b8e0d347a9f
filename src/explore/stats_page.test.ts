import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeSmallSplit } from '../../fixtures/small_split.js';
import { float32, int64, optional, text } from '../io/features.js';
import { dataStats } from './data_stats.js';
import { histogramPlot, shortNumber, ticks } from './plots.js';
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

test('ticks of whole numbers are whole', () => {
  expect(ticks(0, 2, 'whole')).toEqual([0, 1, 2]);
  expect(ticks(0, 200, 'whole')).toEqual(ticks(0, 200));
});

test('the labels of ticks stay within the drawing', () => {
  const histogram = { from: 1_230_000, width: 1e5, counts: [1, 2, 3], below: 0, above: 0 };
  const plot = histogramPlot([{ name: 'train', histogram }], { id: 'a', title: 'a', description: 'a' });
  const labels = [...plot.toString().matchAll(/<text x="([\d.]+)"[^>]*>([^<]+)</g)];
  expect(labels.length).toBeGreaterThan(2);
  for (const [, x, text] of labels) {
    // Digits are more than half as wide as they are high (10.5 pixels).
    expect(Number(x) - (text!.length * 5.5) / 2).toBeGreaterThanOrEqual(0);
    expect(Number(x) + (text!.length * 5.5) / 2).toBeLessThanOrEqual(340);
  }
});

test('shares are of all values, what was cut off is not 0, and all classes are counted', async () => {
  const dir = mkdtempSync(join(folder, 'classes-'));
  const split = (name: 'train' | 'dev', classes: readonly number[]) =>
    writeSmallSplit(dir, {
      problem: 'many',
      split: name,
      features: { targets: int64() },
      examples: classes.map((targets) => ({ targets })),
    });
  // Of 120 classes the 100 most frequent are reported: not the first twenty, of which each is there once.
  const classes = Array.from({ length: 120 }, (_, i) => i);
  split('train', [...classes, ...classes.slice(20)]);
  split('dev', [0, 20, 20, 20]);
  const page = statsPage(await dataStats(dir, 'many'));
  expect(page).toContain('0: train –, dev 25.0 %');
  expect(page).toContain('20: train 0.9 %, dev 75.0 %');
  expect(page).toContain('21: train 0.9 %, dev 0 %');
  expect(page).toContain('at least 100 more are not drawn');
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
