/** The example pictures of a dataset card: the first records' pictures as they are stored, and drawings of EEG. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const EXAMPLES_OF_PICTURES = 4;
const EXAMPLES_OF_WINDOWS = 2;

/** Writes the pictures of a finished split's first examples, which the shuffle drew, into `card/`. */
export async function cardExamples(dataDir: string, problem: string, split: Split): Promise<CardExample[]> {
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
              writeChanged(join(dataDir, file), bytes);
              return { name, file, isOdd: name === example.highlight };
            }),
          },
        ];
  });
  return examples.flat();
}

/** Where the card's own files are, below the data folder. */
export const CARD_FOLDER = 'card';

/** Removes the pictures of cards before that this one does not show. */
export function removeOtherPictures(dataDir: string, shown: readonly string[]): void {
  const folder = join(dataDir, CARD_FOLDER);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (/^.+-\d+-.+\.(jpeg|png|gif|webp|avif|svg)$/.test(name) && !shown.includes(`${CARD_FOLDER}/${name}`))
      rmSync(join(folder, name));
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
