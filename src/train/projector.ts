/** Embeddings for TensorBoard's projector: coordinates, labels and a sheet of thumbnails, and the config that names them. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeWhole } from '../datagen/data_files.js';
import { type Embeddings, embeddingShape } from './embeddings.js';

export interface ProjectorPoints {
  readonly embeddings: Embeddings;
  /** A value for each row, by column: `label`, `subject`, …; shown as the points' names and colours. */
  readonly columns: Readonly<Record<string, ArrayLike<string | number>>>;
  /** A picture for each row. */
  readonly thumbnails?: Thumbnails;
}

export interface Thumbnails {
  /** Of each row: RGB, side × side × 3, 0 … 255. */
  readonly pictures: Iterable<Uint8Array>;
  /** Pixels. */
  readonly side: number;
}

/** The projector draws no larger sheet than this (WebGL's usual limit of a texture), in pixels. */
const MOST_SHEET_PIXELS = 8192;

/**
 * Writes `<name>.tensors.tsv`, `<name>.metadata.tsv`, `<name>.png` and `projector_config.pbtxt` into a folder below
 * TensorBoard's `--logdir`, which then shows them under Projector. The config is replaced: it names one set of points.
 * @throws RangeError where numbers of rows differ, or thumbnails are too many for a sheet.
 */
export async function writeProjector(folder: string, name: string, points: ProjectorPoints): Promise<void> {
  const [rows, dimensions] = embeddingShape(points.embeddings);
  const names = Object.keys(points.columns);
  for (const column of names)
    if (points.columns[column]!.length !== rows)
      throw new RangeError(`column ${column} has ${points.columns[column]!.length} values for ${rows} rows`);
  mkdirSync(folder, { recursive: true });
  const { data } = points.embeddings;
  const line = (row: number): string => data.subarray(row * dimensions, (row + 1) * dimensions).join('\t');
  writeWhole(join(folder, `${name}.tensors.tsv`), lines(rows, line));
  if (names.length > 0) writeWhole(join(folder, `${name}.metadata.tsv`), metadataText(rows, points.columns));
  if (points.thumbnails !== undefined) await writeSheet(join(folder, `${name}.png`), rows, points.thumbnails);
  // projector_config.proto of TensorBoard's projector plugin, as text.
  const config = [
    'embeddings {',
    `  tensor_name: ${quoted(name)}`,
    `  tensor_path: ${quoted(`${name}.tensors.tsv`)}`,
    ...(names.length === 0 ? [] : [`  metadata_path: ${quoted(`${name}.metadata.tsv`)}`]),
    ...(points.thumbnails === undefined ? [] : spriteConfig(`${name}.png`, points.thumbnails.side)),
    '}',
    '',
  ];
  writeWhole(join(folder, 'projector_config.pbtxt'), config.join('\n'));
}

/** With one column the projector wants no header, with several it wants one. */
function metadataText(rows: number, columns: ProjectorPoints['columns']): string {
  const names = Object.keys(columns);
  const header = names.length === 1 ? '' : `${names.map(cell).join('\t')}\n`;
  return header + lines(rows, (row) => names.map((name) => cell(columns[name]![row]!)).join('\t'));
}

function lines(rows: number, line: (row: number) => string): string {
  return Array.from({ length: rows }, (_, row) => `${line(row)}\n`).join('');
}

/** What would end a cell or a line is a blank; an empty first cell would make the line look empty. */
function cell(value: string | number): string {
  return String(value).replaceAll(/[\t\r\n]+/g, ' ') || '-';
}

/** Row by row in a square of cells, as the projector cuts it. */
async function writeSheet(path: string, rows: number, { pictures, side }: Thumbnails): Promise<void> {
  const across = Math.max(1, Math.ceil(Math.sqrt(rows)));
  const width = across * side;
  if (width > MOST_SHEET_PIXELS)
    throw new RangeError(
      `${rows} thumbnails of ${side} pixels make a sheet of more than ${MOST_SHEET_PIXELS}`,
    );
  const sheet = Buffer.alloc(width * width * 3, 255);
  let row = 0;
  for (const picture of pictures) {
    if (picture.length !== side * side * 3)
      throw new RangeError(`thumbnail ${row} has ${picture.length} bytes`);
    const corner = (Math.floor(row / across) * side * width + (row % across) * side) * 3;
    for (let y = 0; y < side; y++)
      sheet.set(picture.subarray(y * side * 3, (y + 1) * side * 3), corner + y * width * 3);
    row += 1;
  }
  if (row !== rows) throw new RangeError(`${row} thumbnails for ${rows} rows`);
  await sharp(sheet, { raw: { width, height: width, channels: 3 } })
    .png()
    .toFile(path);
}

function spriteConfig(path: string, side: number): string[] {
  return [
    '  sprite {',
    `    image_path: ${quoted(path)}`,
    `    single_image_dim: ${side}`,
    `    single_image_dim: ${side}`,
    '  }',
  ];
}

/** The escapes of JSON are those of protobuf's text format. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
