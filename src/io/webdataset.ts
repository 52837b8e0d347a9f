/**
 * WebDataset's layout: a tar in which files that share a name up to its first dot are one sample. Which feature becomes
 * which file, and how a key becomes a name that is safe in any folder (github.com/webdataset/webdataset).
 */

import { type Feature, type Features, fixedCount } from './features.js';
import { encodeNpy } from './npy.js';

/** Where a feature stands in a sample: in a file of its own with this ending, or in the sample's `json`. */
export type MemberPlace =
  | { readonly ending: string; readonly as: 'file' | 'npy' | 'files' }
  | { readonly ending: 'json'; readonly as: 'json' };

/** A place for each feature, in the features' order. */
export type WebdatasetLayout = ReadonlyMap<string, MemberPlace>;

/** A file of a sample: what follows the first dot of its name, and its bytes. */
export interface SampleFile {
  readonly ending: string;
  readonly bytes: Uint8Array;
}

/**
 * Gives every feature its place. WebDataset's own decoders know what to do with each ending:
 * - an image is a `.jpg` or `.png` file (a raw one a `.npy` of uint8, height × width × channels), bytes a `.bin` file;
 * - a list of bytes is numbered `.bin` files, their number in the `json`;
 * - many floats, or integers of a fixed large number, are a `.npy` file in their shape;
 * - all else, texts and a few numbers, is in `<key>.json` under the feature's own name. A file takes 1 KiB of a tar
 *   whatever it holds, and an example may have forty such features.
 *
 * `image/a` becomes `image.a.jpg`: WebDataset takes the part after the last dot for the format, and makes everything
 * lower case. Features whose endings would then be the same get a number.
 */
export function webdatasetLayout(features: Features): WebdatasetLayout {
  const taken = new Set<string>(['json']);
  return new Map(
    Object.entries(features).map(([name, feature]): [string, MemberPlace] => {
      const format = formatOf(feature);
      if (format === undefined) return [name, { ending: 'json', as: 'json' }];
      const stem = endingStem(name);
      let ending = `${stem}.${format.suffix}`;
      for (let i = 2; taken.has(ending); i++) ending = `${stem}_${i}.${format.suffix}`;
      taken.add(ending);
      return [name, { ending, as: format.as }];
    }),
  );
}

/**
 * The files of one sample, the `json` last. Features that are missing have neither file nor member in the `json`.
 *
 * In the `json`, tensors are nested lists; whole numbers beyond ±(2^53 − 1), which many JSON readers would round, and
 * floats that JSON has not are texts (`"NaN"`, `"Infinity"`, `"-Infinity"`), which Python's `int()` and `float()` take.
 * Which of the many NaNs it was is not kept.
 * @param values as a parser of these features gives them.
 */
export function sampleFiles(
  layout: WebdatasetLayout,
  features: Features,
  values: Readonly<Record<string, unknown>>,
): SampleFile[] {
  const files: SampleFile[] = [];
  const members: string[] = [];
  for (const [name, { ending, as }] of layout) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const feature = features[name];
    if (value === undefined || feature === undefined) continue;
    if (as === 'file') files.push({ ending, bytes: value as Uint8Array });
    else if (as === 'npy') files.push({ ending, bytes: npyOf(value, feature) });
    else if (as === 'json') members.push(`${JSON.stringify(name)}: ${jsonText(value, feature)}`);
    else {
      const list = value as readonly Uint8Array[];
      for (const [i, bytes] of list.entries()) files.push({ ending: numbered(ending, i), bytes });
      members.push(`${JSON.stringify(name)}: ${list.length}`);
    }
  }
  return [...files, { ending: 'json', bytes: Buffer.from(`{${members.join(', ')}}`) }];
}

/**
 * A sample's name in its tar: the record's number in the split, which no other sample has, then what of the example's key
 * is safe everywhere: letters, digits, `-` and `_`, no more than 60 of them. So keys may hold slashes, dots and worse, be
 * as long as they like, and be the same twice.
 * @param record number of the record in its split, from 0.
 */
export function sampleName(record: number, key: string | undefined): string {
  const number = String(record).padStart(9, '0');
  const safe = (key ?? '').slice(0, MAX_KEY_CHARACTERS).replace(/[^A-Za-z0-9_-]/g, '_');
  return safe === '' ? number : `${number}-${safe}`;
}

/** With number, endings of usual length and `.json` well below tar's 100 bytes for a name. */
const MAX_KEY_CHARACTERS = 60;

/** So many numbers are not worth a file. */
const FEW = 16;

function formatOf({
  kind,
  shape,
  image,
}: Feature): { suffix: string; as: 'file' | 'npy' | 'files' } | undefined {
  if (image !== undefined) {
    if (image.encoding === 'raw') return { suffix: 'npy', as: 'npy' };
    return { suffix: image.encoding === 'jpeg' ? 'jpg' : 'png', as: 'file' };
  }
  if (kind === 'bytes') return { suffix: 'bin', as: shape.length === 0 ? 'file' : 'files' };
  const isLong = fixedCount(shape) > FEW || (kind === 'float32' && shape[0] === null);
  return kind !== 'text' && isLong ? { suffix: 'npy', as: 'npy' } : undefined;
}

/** Lower case, slashes as dots, and nothing that a file name or WebDataset could take amiss. */
function endingStem(name: string): string {
  return name
    .toLowerCase()
    .split('/')
    .map((part) => part.replace(/[^a-z0-9_-]/g, '_') || '_')
    .join('.');
}

/** `frames.bin` as `frames~00003.bin`: no other feature's ending has a tilde. */
function numbered(ending: string, i: number): string {
  return ending.replace(/\.bin$/, `~${String(i).padStart(5, '0')}.bin`);
}

function npyOf(value: unknown, { kind, shape, image }: Feature): Uint8Array {
  if (image !== undefined) {
    const { height, width, channels } = image;
    return encodeNpy(value as Uint8Array, [height ?? 1, width ?? 1, channels ?? 1]);
  }
  const numbers =
    kind === 'float32'
      ? (value as Float32Array)
      : BigInt64Array.from(value as readonly (number | bigint)[], (number) => BigInt(number));
  return encodeNpy(numbers, sizesOf(shape, numbers.length));
}

/** The sizes that so many values have in this shape. */
function sizesOf(shape: Feature['shape'], values: number): number[] {
  return shape.map((size) => size ?? values / fixedCount(shape));
}

function jsonText(value: unknown, { kind, shape }: Feature): string {
  const text = kind === 'float32' ? floatText : scalarText;
  if (shape.length === 0) return text(value);
  const values = Array.from(value as ArrayLike<unknown>, text);
  return nested(values, sizesOf(shape, values.length));
}

function nested(values: readonly string[], sizes: readonly number[]): string {
  const [first = 0, ...rest] = sizes;
  if (rest.length === 0) return `[${values.join(', ')}]`;
  const size = values.length / first;
  const rows = Array.from({ length: first }, (_, i) => nested(values.slice(i * size, (i + 1) * size), rest));
  return `[${rows.join(', ')}]`;
}

function scalarText(value: unknown): string {
  return typeof value === 'bigint' ? `"${value}"` : JSON.stringify(value);
}

/** With a point where it is whole: Python then reads a float, which alone has a negative zero. */
function floatText(value: unknown): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
