/** Augmentations that put a picture's pixels elsewhere: mirrored, shifted, or a part of it enlarged to the whole. */

import type { Augmentation } from './decoded.js';
import {
  augmentPictures,
  type ChangedPicture,
  fractionOf,
  type Picture,
  type PictureOptions,
  pictureSizes,
} from './image_augmentations.js';

/**
 * Mirrors pictures, left for right, with this probability. Landmarks, pose and matrix of the face follow: see `movedFace`
 * in `image_augmentations.ts`. Not for labels that know left from right.
 */
export function horizontalFlip(
  options: PictureOptions & { readonly probability?: number } = {},
): Augmentation {
  const probability = fractionOf('probability', options.probability ?? 0.5);
  return augmentPictures(options, (random) => (random.next() < probability ? mirrored : undefined));
}

/**
 * Shifts pictures by whole pixels, across and down each uniformly from −`fraction` to `fraction` of the side. What comes
 * in at the border is the picture mirrored about its outermost pixels (`reflect`), or these pixels again (`edge`).
 */
export function randomShift(
  options: PictureOptions & { readonly fraction: number; readonly fill?: 'reflect' | 'edge' },
): Augmentation {
  const { fill = 'reflect' } = options;
  const fraction = fractionOf('fraction', options.fraction);
  const pixels = (drawn: number, side: number): number => {
    const most = Math.floor(fraction * side);
    return Math.floor(drawn * (2 * most + 1)) - most;
  };
  return augmentPictures(options, (random) => {
    const [across, down] = [random.next(), random.next()];
    return (picture) => {
      const [height, width] = pictureSizes(picture);
      return shifted(picture, { right: pixels(across, width), down: pixels(down, height), fill });
    };
  });
}

/**
 * Cuts a rectangle out and enlarges it to the picture's size, bilinearly. Its area is uniformly from `leastArea` (above 0)
 * to 1 of the picture's, its place uniform, its width is stretched against its height by a factor log-uniformly from
 * 1 / `mostStretch` to `mostStretch` (1 where it is left out: a face keeps its proportions). As in Szegedy et al., "Going
 * deeper with convolutions", CVPR 2015, section 6, where the area is from 0.08 and the stretch up to 4/3.
 */
export function randomCrop(
  options: PictureOptions & { readonly leastArea: number; readonly mostStretch?: number },
): Augmentation {
  const { mostStretch = 1 } = options;
  const leastArea = fractionOf('leastArea', options.leastArea);
  if (leastArea === 0) throw new RangeError('leastArea is 0: nothing can not be enlarged');
  if (!(mostStretch >= 1 && mostStretch < Infinity))
    throw new RangeError(`mostStretch is ${mostStretch}: it is a factor from 1`);
  return augmentPictures(options, (random) => {
    const area = leastArea + (1 - leastArea) * random.next();
    const stretch = mostStretch ** (2 * random.next() - 1);
    const [across, down] = [random.next(), random.next()];
    const wide = Math.min(1, Math.sqrt(area * stretch));
    const high = Math.min(1, Math.sqrt(area / stretch));
    if (wide === 1 && high === 1) return undefined;
    return (picture) => enlarged(picture, { wide, high, left: across * (1 - wide), top: down * (1 - high) });
  });
}

function mirrored(picture: Picture): ChangedPicture {
  const [, width] = pictureSizes(picture);
  const columns = Int32Array.from({ length: width }, (_, x) => width - 1 - x);
  return {
    picture: gathered(picture, columns, undefined),
    move: { scaleX: -1, shiftX: width - 1, scaleY: 1, shiftY: 0 },
  };
}

function shifted(
  picture: Picture,
  by: { readonly right: number; readonly down: number; readonly fill: 'reflect' | 'edge' },
): ChangedPicture {
  const { right, down, fill } = by;
  if (right === 0 && down === 0) return { picture };
  const [height, width] = pictureSizes(picture);
  const inside = fill === 'edge' ? clamped : reflected;
  const columns = Int32Array.from({ length: width }, (_, x) => inside(x - right, width));
  const rows = Int32Array.from({ length: height }, (_, y) => inside(y - down, height));
  return {
    picture: gathered(picture, columns, rows),
    move: { scaleX: 1, shiftX: right, scaleY: 1, shiftY: down },
  };
}

function clamped(at: number, length: number): number {
  return Math.max(0, Math.min(length - 1, at));
}

/** … 2 1 0 1 2 … n−2 n−1 n−2 …: the outermost pixel is not repeated. */
function reflected(at: number, length: number): number {
  const period = 2 * (length - 1);
  if (period === 0) return 0;
  const within = ((at % period) + period) % period;
  return within < length ? within : period - within;
}

/** The picture made of these columns and rows of it; undefined stands for the rows as they are. */
function gathered(picture: Picture, columns: Int32Array, rows: Int32Array | undefined): Picture {
  const [height, width, channels] = pictureSizes(picture);
  const { data: from, shape } = picture;
  const data = new Uint8Array(from.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = (rows === undefined ? y : (rows[y] as number)) * width;
    for (let x = 0; x < width; x++) {
      const at = (row + (columns[x] as number)) * channels;
      for (let channel = 0; channel < channels; channel++) data[to++] = from[at + channel] as number;
    }
  }
  return { data, shape };
}

/** A rectangle as fractions of the picture's sides. */
interface Part {
  readonly left: number;
  readonly top: number;
  readonly wide: number;
  readonly high: number;
}

function enlarged(picture: Picture, part: Part): ChangedPicture {
  const [height, width, channels] = pictureSizes(picture);
  const { data: from, shape } = picture;
  const columns = samplePlaces(width, part.left, part.wide, channels);
  const rows = samplePlaces(height, part.top, part.high, width * channels);
  const data = new Uint8Array(from.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const top = rows.first[y] as number;
    const bottom = rows.second[y] as number;
    const down = rows.weight[y] as number;
    for (let x = 0; x < width; x++) {
      const left = columns.first[x] as number;
      const right = columns.second[x] as number;
      const across = columns.weight[x] as number;
      for (let channel = 0; channel < channels; channel++) {
        const a = from[top + left + channel] as number;
        const b = from[bottom + left + channel] as number;
        const above = a + ((from[top + right + channel] as number) - a) * across;
        const below = b + ((from[bottom + right + channel] as number) - b) * across;
        data[to++] = above + (below - above) * down + 0.5;
      }
    }
  }
  return {
    picture: { data, shape },
    move: {
      scaleX: 1 / part.wide,
      shiftX: (0.5 - part.left * width) / part.wide - 0.5,
      scaleY: 1 / part.high,
      shiftY: (0.5 - part.top * height) / part.high - 0.5,
    },
  };
}

/**
 * For each pixel of an enlarged side the two that it lies between, as offsets of `step`, and the second one's weight.
 * Pixels are squares whose centres are at whole numbers: the part's edges become the picture's edges.
 */
function samplePlaces(length: number, start: number, extent: number, step: number) {
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const weight = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.max(0, Math.min(length - 1, start * length + (i + 0.5) * extent - 0.5));
    const before = Math.floor(at);
    first[i] = before * step;
    second[i] = Math.min(length - 1, before + 1) * step;
    weight[i] = at - before;
  }
  return { first, second, weight };
}
