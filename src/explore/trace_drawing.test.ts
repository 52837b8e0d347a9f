/** Tests of drawings of EEG: that they are small, true to the extremes, and harmless whatever they are of. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { makeEegmmidbFiles } from '../../fixtures/eegmmidb_files.js';
import { startPhysionet } from '../../fixtures/physionet.js';
import { runCli } from '../../fixtures/run_cli.js';
import { seededRandom } from '../io/random.js';
import { drawingLosses, MAX_DRAWING_BYTES, type Traces, traceDrawing } from './trace_drawing.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-traces-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface WindowToMake {
  readonly channels: number;
  readonly samples: number;
  readonly valueAt: (channel: number, sample: number) => number;
  readonly samplingRate?: number;
}

function window({ channels, samples, valueAt, samplingRate = 100 }: WindowToMake): Traces {
  const values = Float32Array.from({ length: channels * samples }, (_, i) =>
    valueAt(Math.floor(i / samples), i % samples),
  );
  const names = Array.from({ length: channels }, (_, i) => `C${i}`);
  return { channels: names, samplingRate, samples: values, unit: 'µV' };
}

function drawing(traces: Traces, widthPx = 570): string {
  return traceDrawing(traces, { label: 'eeg/raw of a', widthPx }).toString();
}

/** The points of each channel's path, followed by SVG's own rules; a gap begins a new part. */
function partsOf(svg: string): [x: number, y: number][][][] {
  const [, group = ''] = /<g transform=.*?>(.*)<\/g><\/svg>/s.exec(svg) ?? [];
  return [...group.matchAll(/d="([^"]*)"/g)].map(([, path = '']) => {
    const parts: [number, number][][] = [];
    let [x, y] = [0, 0];
    for (const [, command, numbers = ''] of path.matchAll(/([Mlhv])([^Mlhv]*)/g)) {
      const [a = 0, b = 0] = (numbers.match(/-?\d+/g) ?? []).map(Number);
      if (command === 'M') parts.push([]);
      [x, y] =
        command === 'M'
          ? [a, b]
          : [command === 'v' ? x : x + a, command === 'h' ? y : y + (command === 'v' ? a : b)];
      parts.at(-1)?.push([x, y]);
    }
    return parts;
  });
}

describe('a drawing', () => {
  test('is smaller than it may be with 64 noisy channels, 30 seconds long, or of hundreds of channels', () => {
    const random = seededRandom('noise');
    const noise = (): number => random.next() - 0.5;
    for (const [channels, samples] of [
      [1, 100_000],
      [2, 3000],
      [23, 7680],
      [64, 640],
      [64, 4800],
      [128, 2048],
      [300, 500],
    ] as const) {
      const svg = drawing(window({ channels, samples, valueAt: noise }));
      expect(Buffer.byteLength(svg)).toBeLessThan(MAX_DRAWING_BYTES);
      expect(Buffer.byteLength(svg)).toBeGreaterThan(MAX_DRAWING_BYTES / 8);
    }
  });

  test('shows the highest and the lowest sample of a long window at their places', () => {
    const samples = 60_000;
    const peaks = new Map([
      [12_345, 60],
      [47_001, -60],
    ]);
    const valueAt = (_: number, i: number): number => peaks.get(i) ?? 30 * Math.sin(i / 7);
    const [[points = []] = []] = partsOf(drawing(window({ channels: 1, samples, valueAt })));
    const highest = points.reduce((best, point) => (point[1] < best[1] ? point : best));
    const lowest = points.reduce((best, point) => (point[1] > best[1] ? point : best));
    const width = (570 - 46 - 50) * 4;
    expect(Math.abs(highest[0] - (12_345.5 / samples) * width)).toBeLessThanOrEqual(1);
    expect(Math.abs(lowest[0] - (47_001.5 / samples) * width)).toBeLessThanOrEqual(1);
  });

  test('is every sample where there are few', () => {
    const valueAt = (_: number, i: number): number => [0, 10, -10][i % 3] as number;
    const [[points = []] = []] = partsOf(drawing(window({ channels: 1, samples: 90, valueAt })));
    // The first point is there twice: a value that stands alone is a dot.
    expect(points).toHaveLength(91);
    const heights = points.slice(1).map(([, y]) => y);
    expect(new Set(heights).size).toBe(3);
    expect(heights).toEqual(heights.map((_, i) => heights[i % 3]));
  });

  test('has a bar that is as high as it says', () => {
    const valueAt = (_: number, i: number): number => (i % 2 === 0 ? 40 : -40);
    const svg = drawing(window({ channels: 4, samples: 100, valueAt }));
    const [, bar] = /class="scale" d="[^"]*v([\d.]+)m/.exec(svg) ?? [];
    const [, microvolts] = />([\d.]+) µV<\/text>/.exec(svg) ?? [];
    const [[points = []] = []] = partsOf(svg);
    const heights = points.map(([, y]) => y / 4);
    const pixelsPerMicrovolt = (Math.max(...heights) - Math.min(...heights)) / 80;
    expect(Number(bar) / Number(microvolts)).toBeCloseTo(pixelsPerMicrovolt, 1);
  });

  test('has seconds along its foot, as long as the window', () => {
    const ticksOf = (samples: number): string[] =>
      [
        ...drawing(window({ channels: 2, samples, valueAt: Math.sin })).matchAll(
          /class="axis|y="\d+">([\d.]+(?: s)?)</g,
        ),
      ]
        .map(([, tick]) => tick)
        .filter((tick) => tick !== undefined);
    expect(ticksOf(400)).toEqual(['0', '1', '2', '3', '4 s']);
    expect(ticksOf(3000)).toEqual(['0', '5', '10', '15', '20', '25', '30 s']);
    expect(ticksOf(50)).toEqual(['0', '0.1', '0.2', '0.3', '0.4', '0.5 s']);
  });

  test('is not flattened by one bad electrode, whose excess is cut and said', () => {
    const calm = (channel: number, i: number): number => 20 * Math.sin(i / (3 + channel));
    const wild = (channel: number, i: number): number => (channel === 2 ? 5000 : 1) * calm(channel, i);
    const heightOf = (traces: Traces, channel: number): number => {
      const heights = (partsOf(drawing(traces))[channel] ?? []).flat().map(([, y]) => y);
      return Math.max(...heights) - Math.min(...heights);
    };
    const [quiet, loud] = [calm, wild].map((valueAt) => window({ channels: 6, samples: 400, valueAt }));
    expect(heightOf(loud!, 4)).toBeGreaterThan(0.9 * heightOf(quiet!, 4));
    expect(drawingLosses(quiet!)).toEqual([]);
    expect(drawingLosses(loud!)).toEqual(['1 of 6 channels go further than is drawn']);
    expect(drawingLosses(window({ channels: 300, samples: 10, valueAt: (_, i) => i % 2 }))).toEqual([
      'the first 128 of 300 channels',
    ]);
  });

  test('is the same whatever constant a channel stands at', () => {
    const valueAt = (_: number, i: number): number => Math.round(30 * Math.sin(i / 5));
    const shifted = (channel: number, i: number): number => valueAt(channel, i) + 1024 * channel;
    const [one, other] = [valueAt, shifted].map((each) =>
      drawing(window({ channels: 3, samples: 300, valueAt: each })),
    );
    expect(one).toBe(other);
  });

  test('leaves a gap where values are no numbers, and is there for flat and for empty windows', () => {
    const valueAt = (_: number, i: number): number => (i >= 40 && i < 60 ? Number.NaN : Math.sin(i));
    expect(partsOf(drawing(window({ channels: 1, samples: 100, valueAt })))[0]).toHaveLength(2);
    for (const value of [0, 7, Number.NaN, Number.POSITIVE_INFINITY])
      expect(drawing(window({ channels: 3, samples: 50, valueAt: () => value }))).not.toMatch(/NaN|Infinity/);
    expect(drawing({ channels: [], samplingRate: 1, samples: new Float32Array(), unit: 'µV' })).toContain(
      '<svg',
    );
  });

  test('is finite, small and of the same tags whatever names and values it is given', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.float(), { minLength: 4, maxLength: 40 }),
        fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
        (channels, values, samplingRate) => {
          const samples = Float32Array.from(
            { length: channels.length * values.length },
            (_, i) => values[i % values.length]!,
          );
          const svg = drawing({ channels, samplingRate, samples, unit: 'SD' });
          expect(Buffer.byteLength(svg)).toBeLessThan(MAX_DRAWING_BYTES);
          expect(svg.replace(/>[^<]*</g, '><')).not.toMatch(/NaN|Infinity/);
          const tags = (svg.match(/<[^>]*>/g) ?? []).map((tag) => (/^<\/?[a-z]+/.exec(tag) ?? [''])[0]);
          expect(new Set(tags)).toEqual(new Set(['<svg', '</svg', '<g', '</g', '<path', '<text', '</text']));
          expect(svg.match(/<path/g)!.length - svg.match(/class="tick"/g)!.length).toBe(channels.length + 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('inspect --html over EEG', () => {
  test('draws each window with its annotation, and of triplets the odd one is marked in words', async () => {
    const files = makeEegmmidbFiles({ subjects: [1, 2, 3, 4], runs: [4, 8], trials: 4 });
    const server = await startPhysionet({ eegmmidb: files });
    const page = async (problem: string, ...options: string[]): Promise<string> => {
      const folders = ['--data-dir', join(folder, 'data'), '--tmp-dir', join(folder, 'tmp')];
      const source = ['--mirror', server.mirror, '--allow-private-hosts'];
      const made = await runCli(['datagen', problem, ...folders, ...source, ...options]);
      expect(made.code, made.stderr).toBe(0);
      const html = join(folder, `${problem}.html`);
      const shown = await runCli(['inspect', join(folder, 'data'), problem, '--html', html, '--limit', '2']);
      expect(shown.code, shown.stderr).toBe(0);
      return readFileSync(html, 'utf8');
    };
    try {
      const windows = await page('eeg_motor_imagery');
      const figures = windows.match(/<figure.*?<\/figure>/gs) ?? [];
      expect(figures).toHaveLength(2);
      for (const figure of figures) {
        expect(figure.match(/<svg/g)).toHaveLength(1);
        expect(partsOf(figure.replace(/.*(<svg.*<\/svg>).*/s, '$1'))).toHaveLength(64);
        expect(figure).toMatch(/>(?:left|right)_fist, targets [01]</);
        expect(figure).toMatch(/>from [\d.]+ s of S00\dR0[48] \(S00\d\)</);
        expect(figure).toMatch(/>\d+ µV<\/text>/);
      }
      expect(windows).toContain('It holds recordings of people');
      expect(windows).not.toMatch(/\b(?:src|xlink:href|xmlns)=|url\(|<script/);

      const examples = ['examples=4', 'dev_examples=0', 'test_examples=0'].flatMap((each) => [
        '--option',
        each,
      ]);
      const triplets = await page(
        'eeg_motor_imagery_triplets',
        ...examples,
        '--option',
        'standardise=channel',
      );
      const cards = triplets.match(/<article>.*?<\/article>/gs)!.filter((card) => card.includes('<svg'));
      expect(cards).toHaveLength(2);
      for (const card of cards) {
        const three = card.match(/<figure.*?<\/figure>/gs)!;
        expect(three.map((each) => /class="name"><bdi>(.*?)</.exec(each)?.[1])).toEqual([
          'eeg/a',
          'eeg/b',
          'eeg/c',
        ]);
        const labels = three.map((each) => /(left|right)_fist/.exec(each)?.[1]);
        const odd = three.findIndex((each) => each.includes('odd one out</strong>'));
        expect(labels.filter((label) => label === labels[odd])).toHaveLength(1);
        expect(card).toMatch(/aria-label="eeg\/[abc] of [^"]*, the odd one out: 64 channels"/);
        expect(card).toMatch(/>[\d.]+ SD<\/text>/);
      }
    } finally {
      await server.close();
    }
  });
});
