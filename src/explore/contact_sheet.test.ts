/** Tests of the contact sheet: that it says what it should, loads nothing, and stays itself whatever text it is given. */

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type ContactSheet, contactSheet, type SheetExample } from './contact_sheet.js';

const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#b87' } })
  .jpeg()
  .toBuffer();

/** A sheet with something everywhere, all of its text made by `text`. */
function sheetOf(text: (what: string) => string): ContactSheet {
  return {
    title: text('title'),
    problem: text('problem'),
    split: text('split'),
    description: text('description'),
    settings: [[text('label'), text('value')]],
    counts: { planned: 10, written: 6, rejected: { 'dead-url': 3, throttled: 1 } },
    features: [{ name: text('feature'), type: text('type'), meaning: text('meaning') }],
    examples: [
      {
        index: 4,
        shard: text('shard'),
        key: text('key'),
        images: ['image/a', 'image/b', 'image/c'].map((name, i) => ({
          name: text(name),
          bytes: jpeg,
          caption: text('caption'),
          votes: [1, 5, 0][i]!,
        })),
        fields: [[text('field'), text('field value')]],
        highlight: text('image/b'),
      },
      {
        index: 5,
        shard: text('shard'),
        images: [],
        windows: [
          {
            name: text('eeg/raw'),
            channels: [text('channel')],
            samplingRate: 2,
            samples: Float32Array.of(0, 3, -2, 1),
            unit: 'µV',
            captions: [text('annotation')],
          },
        ],
        fields: [],
      },
    ],
    rejections: [
      {
        reason: text('dead-url'),
        explanation: text('explanation'),
        count: 3,
        samples: [
          {
            key: text('sample key'),
            detail: text('detail'),
            inputs: [
              { label: text('face a'), url: text('url a'), state: 'ok', bytes: jpeg },
              { label: text('face b'), url: text('url b'), state: 'failed' },
            ],
          },
        ],
      },
    ],
    notes: [text('note')],
  };
}

const plain = sheetOf((what) => what);

/** What a browser would show: the text without its tags. */
function textOf(page: string): string {
  return page
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ');
}

/** The tags with the names of their attributes: all that makes a page act. */
function skeletonOf(page: string): string[] {
  return (page.replace(/<style>.*<\/style>/s, '').match(/<[^>]*>/g) ?? []).map((tag) =>
    tag.replace(/="[^"]*"/g, ''),
  );
}

describe('what the page says', () => {
  test('counts, shares, reasons with explanations, settings, features and notes', () => {
    const text = textOf(contactSheet(plain));
    for (const part of [
      'planned 10',
      'written 6 60.0 %',
      'rejected 4 40.0 %',
      '2 of the 6 that were written',
      'eeg/raw annotation',
      'dead-url 3 75.0 % of the rejected explanation',
      'throttled 1 25.0 % of the rejected',
      'sample key detail',
      'label value',
      'feature type meaning',
      'note',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain('add up');
  });

  test('the odd one out is marked in words, with its votes, and in the picture’s alternative text', () => {
    const page = contactSheet(plain);
    const figures = page.match(/<figure.*?<\/figure>/gs)!;
    expect(figures.map((figure) => textOf(figure).includes('odd one out'))).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(textOf(figures[1]!)).toContain('5 of 6 votes');
    expect(figures[1]).toContain('alt="image/b of key, the odd one out"');
    expect(figures[0]).toContain('alt="image/a of key"');
  });

  test('what survives of a rejected example is shown, and what failed is said in words', () => {
    const inputs = contactSheet(plain).match(/<li class="(?:ok|failed)">.*?<\/li>/gs)!;
    expect(inputs).toHaveLength(2);
    expect(inputs[0]).toContain('alt="face a of sample key"');
    expect(textOf(inputs[0]!)).toContain('fine');
    expect(inputs[1]).not.toContain('<img');
    expect(textOf(inputs[1]!)).toContain('failed');
  });

  test('counts that do not add up are called that', () => {
    const page = contactSheet({ ...plain, counts: { ...plain.counts, planned: 11 } });
    expect(textOf(page)).toContain('These do not add up: 11 were planned, 10 are accounted for.');
  });

  test('an empty split is a page too, and shares never round to nothing or to everything', () => {
    const empty = { ...plain, examples: [], rejections: [], notes: [], settings: [], features: [] };
    const text = textOf(contactSheet({ ...empty, counts: { planned: 0, written: 0, rejected: {} } }));
    expect(text).toContain('No example is shown.');
    expect(text).toContain('Nothing was rejected.');
    const one = textOf(
      contactSheet({ ...empty, counts: { planned: 500000, written: 499999, rejected: { x: 1 } } }),
    );
    expect(one).toContain('written 499,999 > 99.9 %');
    expect(one).toContain('rejected 1 < 0.1 %');
  });

  test('bytes that are no picture are not shown as one', () => {
    const example: SheetExample = {
      ...plain.examples[0]!,
      images: [{ name: 'x', bytes: Buffer.from('<svg onload=x>') }],
    };
    const page = contactSheet({ ...plain, examples: [example], rejections: [] });
    expect(page).not.toContain('<img');
    expect(textOf(page)).toContain('not a picture');
  });

  test('headings go down one level at a time, and every landmark has a name', () => {
    const page = contactSheet(plain);
    const levels = [...page.matchAll(/<h(\d)/g)].map((match) => Number(match[1]));
    expect(levels[0]).toBe(1);
    levels.reduce((before, level) => {
      expect(level).toBeLessThanOrEqual(before + 1);
      return level;
    });
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]*)"/g)) expect(page).toContain(`id="${id}"`);
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<main>/g)).toHaveLength(1);
  });
});

describe('the page loads nothing', () => {
  test('there are no scripts, and only data addresses are fetched', () => {
    const page = contactSheet(sheetOf(() => 'https://example.com/a.jpg'));
    expect(page).not.toMatch(/<(?:script|link|iframe|object|embed|base|form)\b/i);
    for (const [, source] of page.matchAll(/\ssrc="([^"]*)"/g))
      expect(source).toMatch(/^data:image\/jpeg;base64,/);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page).toContain("default-src 'none'; img-src data:");
  });

  test('a web address is linked without telling where the reader came from', () => {
    const page = contactSheet(
      sheetOf((what) => (what.startsWith('url') ? `https://example.com/${what}?a=1&b=2` : what)),
    );
    expect(page).toContain(
      '<a href="https://example.com/url%20a?a=1&#38;b=2" rel="noreferrer noopener external nofollow">',
    );
  });
});

const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }) },
  {
    weight: 5,
    arbitrary: fc
      .array(
        fc.constantFrom(
          ...[
            '<script>alert(1)</script>',
            '<img src=x onerror=alert(1)>',
            '"',
            "'",
            '`',
            '<',
            '>',
            '&',
            '&lt;',
            '&#60;',
          ],
          ...[
            '-->',
            '<!--',
            ']]>',
            '</style>',
            '</title>',
            '\0',
            '\ud800',
            '\u202e',
            '\n',
            ' onload=',
            '=',
            '/',
            '{{x}}',
          ],
          ...[
            'javascript:alert(1)',
            'data:text/html,<b>',
            'https://e.example/"><i>',
            'JaVaScRiPt\t:',
            'x'.repeat(700),
          ],
        ),
        { minLength: 1, maxLength: 5 },
      )
      .map((parts) => parts.join('')),
  },
);

/** The links of a page are the one thing that depends on its text. */
function withoutLinks(skeleton: readonly string[]): string[] {
  return skeleton.filter((tag) => !/^<\/?a\b/.test(tag) || tag.includes(' class'));
}

describe('whatever the text, the page has the same tags and attributes', () => {
  const expected = withoutLinks(skeletonOf(contactSheet(plain)));

  test('by its markup', () => {
    fc.assert(
      fc.property(fc.infiniteStream(hostileText), (texts) => {
        const page = contactSheet(sheetOf(consistently(texts)));
        expect(withoutLinks(skeletonOf(page))).toEqual(expected);
        for (const [, target] of page.matchAll(/href="([^"]*)"/g))
          expect(target).toMatch(/^(?:https?:\/\/|#)/);
        expect(page).not.toMatch(/[\0\u007f-\u009f]|\p{Surrogate}/u);
      }),
      { numRuns: 400 },
    );
  });

  const hasPython = spawnSync('python3', ['--version']).status === 0;
  test.skipIf(!hasPython)(`by Python’s HTML parser${hasPython ? '' : ' (skipped: no python3)'}`, () => {
    const pages = hostilePages(60);
    const script = `
import sys, json
from html.parser import HTMLParser
class P(HTMLParser):
    def __init__(self):
        super().__init__(); self.tags = []
    def handle_starttag(self, tag, attrs): self.tags.append([tag, [[k, v] for k, v in attrs if k not in ('alt', 'style')]])
out = []
for page in json.load(sys.stdin):
    p = P(); p.feed(page); p.close(); out.append(p.tags)
json.dump(out, sys.stdout)`;
    const input = JSON.stringify([contactSheet(plain), ...pages]);
    const parsed = spawnSync('python3', ['-c', script], { input, maxBuffer: 1 << 28 });
    const [reference, ...all] = (
      JSON.parse(parsed.stdout.toString()) as [string, [string, string][]][][]
    ).map((tags) =>
      tags.filter(([tag, attributes]) => tag !== 'a' || attributes.some(([name]) => name === 'class')),
    );
    expect(reference!.length).toBeGreaterThan(80);
    expect(all).toHaveLength(60);
    for (const tags of all) expect(tags.map(([tag]) => tag)).toEqual(reference!.map(([tag]) => tag));
    for (const tags of all)
      for (const [, attributes] of tags) for (const [name] of attributes) expect(name).not.toMatch(/^on/);
  });

  const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
  test.skipIf(browser === undefined)(
    `by a browser${browser === undefined ? ' (skipped: no Chromium)' : ''}`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 't2t-sheet-'));
      try {
        const path = join(folder, 'sheet.html');
        const count = (page: string) => page.replace(/<style>.*<\/style>/s, '').match(/<[a-z]/g)!.length;
        const links = (page: string) => (page.match(/<a\b/g) ?? []).length;
        for (const page of [contactSheet(plain), ...hostilePages(3)]) {
          await writeFile(path, page);
          const flags = [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--no-first-run',
            '--disable-background-networking',
          ];
          const shown = spawnSync(
            browser!,
            [...flags, `--user-data-dir=${folder}/profile`, '--dump-dom', `file://${path}`],
            {
              timeout: 50_000,
              maxBuffer: 1 << 26,
            },
          );
          const dom = shown.stdout.toString();
          expect(dom).not.toContain('<script');
          expect(count(dom) - links(dom)).toBe(count(page) - links(page));
        }
      } finally {
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    },
    240_000,
  );
});

/** One text for each thing, so that what is named twice (the picture to mark) has one name. */
function consistently(texts: Iterator<string>): (what: string) => string {
  const chosen = new Map<string, string>();
  return (what) => {
    // The three pictures must differ, or more than one would be marked.
    const text = chosen.get(what) ?? `${what.startsWith('image/') ? what : ''}${texts.next().value}`;
    chosen.set(what, text);
    return what === 'dead-url' ? `dead-url` : text;
  };
}

function hostilePages(count: number): string[] {
  return fc
    .sample(fc.infiniteStream(hostileText), { numRuns: count, seed: 7 })
    .map((texts) => contactSheet(sheetOf(consistently(texts))));
}
