/** The example pictures of a dataset card: the first records' pictures as they are stored, and drawings of EEG. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sniffImageFormat } from '../io/image_format.js';
import type { Split } from '../problems/problem.js';
import type { SheetExample, SheetWindow } from './contact_sheet.js';
import { html } from './html_text.js';
import { inspectSplit } from './inspect.js';
import { splitSheet } from './split_sheet.js';
import { traceDrawing } from './trace_drawing.js';

/** An example with its pictures, in files below the data folder. */
export interface CardExample {
  readonly key: string;
  readonly pictures: readonly {
    readonly name: string;
    /** As the card links it. */
    readonly file: string;
    readonly isOdd: boolean;
  }[];
}

/** A file to be written below the data folder. */
export interface CardPicture {
  readonly file: string;
  readonly bytes: Uint8Array;
}

const EXAMPLES_OF_PICTURES = 4;
const EXAMPLES_OF_WINDOWS = 2;

/** A finished split's first examples, which the shuffle drew, and the files of their pictures; `renewPictures` writes them. */
export async function cardExamples(
  dataDir: string,
  problem: string,
  split: Split,
): Promise<{ examples: CardExample[]; files: CardPicture[] }> {
  const files: CardPicture[] = [];
  const sheet = splitSheet(dataDir, await inspectSplit(dataDir, problem, split, EXAMPLES_OF_PICTURES));
  const examples = sheet.examples.map((example, i) => {
    const pictures = picturesOf(example);
    const hasWindows = example.windows !== undefined;
    return i >= (hasWindows ? EXAMPLES_OF_WINDOWS : EXAMPLES_OF_PICTURES) || pictures.length === 0
      ? []
      : [
          {
            key: example.key ?? `record ${example.index}`,
            pictures: pictures.map(({ name, bytes, suffix }) => {
              const file = `${CARD_FOLDER}/${problem}-${i + 1}-${name.replace(/[^a-z0-9_]+/gi, '-')}.${suffix}`;
              files.push({ file, bytes });
              return { name, file, isOdd: name === example.highlight };
            }),
          },
        ];
  });
  return { examples: examples.flat(), files };
}

/** Where the card's own files are, below the data folder. */
export const CARD_FOLDER = 'card';

/** Writes a card's pictures, and removes those of the card before that this one does not show. Other files are left alone. */
export function renewPictures(dataDir: string, pictures: readonly CardPicture[]): void {
  const list = join(dataDir, CARD_FOLDER, 'pictures.json');
  const [before, now] = [listedPictures(list), pictures.map(({ file }) => file)];
  // Named before they are written: what a kill leaves behind is known as ours.
  writeList(list, [...new Set([...before, ...now])]);
  for (const { file, bytes } of pictures) writeChanged(join(dataDir, file), bytes);
  for (const file of before) if (!now.includes(file)) rmSync(join(dataDir, file), { force: true });
  writeList(list, now);
}

/** Names of pictures as cards give them: a list that somebody changed names no other file. */
const PICTURE_NAME = new RegExp(`^${CARD_FOLDER}/[^/\\\\]+-\\d+-[^/\\\\]+\\.(jpeg|png|gif|webp|avif|svg)$`);

/** None where there is no list, or it can't be read. */
function listedPictures(list: string): string[] {
  if (!existsSync(list)) return [];
  try {
    const { pictures } = JSON.parse(readFileSync(list, 'utf8')) as { readonly pictures?: unknown };
    return Array.isArray(pictures)
      ? pictures.filter((file): file is string => typeof file === 'string' && PICTURE_NAME.test(file))
      : [];
  } catch {
    return [];
  }
}

function writeList(list: string, pictures: readonly string[]): void {
  if (pictures.length === 0) rmSync(list, { force: true });
  else writeChanged(list, Buffer.from(`${JSON.stringify({ pictures }, null, 1)}\n`));
}

interface PictureFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly suffix: string;
}

function picturesOf({ images, windows = [] }: SheetExample): PictureFile[] {
  return [
    ...images.flatMap(({ name, bytes }) => {
      const suffix = sniffImageFormat(bytes);
      return suffix === undefined ? [] : [{ name, bytes, suffix }];
    }),
    ...windows.map((window) => ({ name: window.name, bytes: svgFile(window), suffix: 'svg' })),
  ];
}

const DRAWING_PX = 570;

/** The drawing as a file of its own, on white, with the colours that the contact sheet's style has by day. */
function svgFile(window: SheetWindow): Uint8Array {
  const label = `${window.name}: ${window.channels.length} channels${window.captions.map((each) => `; ${each}`).join('')}`;
  const drawing = traceDrawing(window, { label, widthPx: DRAWING_PX });
  const [, height = '300'] = /viewBox="0 0 \d+ ([\d.]+)"/.exec(drawing.toString()) ?? [];
  const file = html`<svg xmlns="http://www.w3.org/2000/svg" width="${DRAWING_PX}" height="${height}" viewBox="0 0 ${DRAWING_PX} ${height}" font-family="sans-serif" font-size="10" fill="#5b626a"><title>${label}</title><style>path{fill:none;stroke:#23272c;stroke-linejoin:round;vector-effect:non-scaling-stroke}g[transform] path:nth-of-type(even){stroke:#23508f}.axis path{stroke:#dcd9d1}.channel{text-anchor:end}.tick{text-anchor:middle}text.scale{fill:#23272c}</style><rect width="100%" height="100%" fill="#fff"/>${drawing}</svg>`;
  return Buffer.from(`${file}\n`);
}

function writeChanged(path: string, bytes: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
}
