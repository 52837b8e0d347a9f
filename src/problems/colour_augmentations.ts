/** Augmentation of colour: the same face in other light, by another camera, on a grey photograph. */

import { lumaThousandths } from '../faces/luma.js';
import type { Augmentation } from './decoded.js';
import {
  augmentPictures,
  fractionOf,
  type Picture,
  type PictureOptions,
  pictureSizes,
} from './image_augmentations.js';

/** Each from 0, which changes nothing, to 1. */
export interface ColourStrengths {
  /** Bytes are multiplied by a factor uniformly from 1 − `brightness` to 1 + `brightness`. */
  readonly brightness?: number;
  /** Distances from the picture's mean luma, likewise. */
  readonly contrast?: number;
  /** Distances from each pixel's own luma, likewise. */
  readonly saturation?: number;
  /** The probability that a picture becomes grey, by its luma. */
  readonly grey?: number;
}

/**
 * Changes brightness, then contrast, then saturation. The three are one linear map of colours, so nothing is rounded or
 * cut to 0 … 255 before the end. Luma is that of `src/faces/luma.ts`. Pictures of other than three channels have no colour:
 * their values are taken for luma, and the last two strengths do nothing.
 */
export function colourJitter(options: PictureOptions & ColourStrengths): Augmentation {
  const [brightness, contrast, saturation, grey] = (
    ['brightness', 'contrast', 'saturation', 'grey'] as const
  ).map((name) => fractionOf(name, options[name] ?? 0)) as [number, number, number, number];
  return augmentPictures(options, (random) => {
    const factor = (strength: number): number => 1 + strength * (2 * random.next() - 1);
    const factors = [factor(brightness), factor(contrast), factor(saturation)] as const;
    const isGrey = random.next() < grey;
    const [bright, contrasted] = factors;
    const saturated = isGrey ? 0 : factors[2];
    if (bright === 1 && contrasted === 1 && saturated === 1) return undefined;
    return (picture) => ({ picture: recoloured(picture, { bright, contrasted, saturated }) });
  });
}

interface ColourFactors {
  readonly bright: number;
  readonly contrasted: number;
  readonly saturated: number;
}

/** value' = own · value + grey · luma + offset */
function recoloured(picture: Picture, { bright, contrasted, saturated }: ColourFactors): Picture {
  const { data: from, shape } = picture;
  const [, , channels] = pictureSizes(picture);
  const gain = bright * contrasted;
  const offset = contrasted === 1 ? 0 : bright * (1 - contrasted) * meanLuma(from, channels);
  const own = channels === 3 ? gain * saturated : gain;
  const grey = gain - own;
  const data = new Uint8ClampedArray(from.length);
  if (grey === 0) for (let i = 0; i < from.length; i++) data[i] = gain * (from[i] as number) + offset;
  else
    for (let at = 0; at < from.length; at += 3) {
      const shared = (grey * lumaThousandths(from, at)) / 1000 + offset;
      data[at] = own * (from[at] as number) + shared;
      data[at + 1] = own * (from[at + 1] as number) + shared;
      data[at + 2] = own * (from[at + 2] as number) + shared;
    }
  return { data: new Uint8Array(data.buffer), shape };
}

function meanLuma(data: Uint8Array, channels: number): number {
  let sum = 0;
  if (channels === 3) {
    for (let at = 0; at < data.length; at += 3) sum += lumaThousandths(data, at);
    return sum / 1000 / (data.length / 3);
  }
  for (const value of data) sum += value;
  return sum / data.length;
}
