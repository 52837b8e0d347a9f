/** Masks patches of pictures, for models that learn by filling in what they can't see. */

import type { Random } from '../io/random.js';
import type { Augmentation } from './decoded.js';
import {
  augmentPictures,
  type ChangedPicture,
  fractionOf,
  type Picture,
  type PictureOptions,
  pictureSizes,
} from './image_augmentations.js';

export interface PatchMasking {
  /** Of the patches, rounded to a whole number of them. */
  readonly fraction: number;
  /** Side of a patch; at the right and bottom border patches may be smaller. */
  readonly pixels: number;
  /** What masked patches hold: the `mean` of the picture, channel by channel, or uniform `noise`. */
  readonly fill?: 'mean' | 'noise';
  /**
   * Puts beside each picture what a model is judged by: `<name>/mask` (uint8, rows × columns of patches, 1 where masked)
   * and `<name>/whole`, the picture as it was. It must then be the last augmentation that changes the picture: one that
   * comes after would change picture, mask and whole each for itself.
   */
  readonly withTarget?: boolean;
}

/**
 * Masks as many patches of each picture as `fraction` says, all sets of them equally likely: He et al., "Masked
 * autoencoders are scalable vision learners", CVPR 2022, who mask 75 % of patches of 16 pixels and leave them out.
 */
export function patchMasking(options: PictureOptions & PatchMasking): Augmentation {
  const { pixels } = options;
  const fraction = fractionOf('fraction', options.fraction);
  if (!(Number.isInteger(pixels) && pixels >= 1))
    throw new RangeError(`pixels is ${pixels}: it is a whole number from 1`);
  const { fill = 'mean', withTarget = false, per = 'picture' } = options;
  return augmentPictures(options, (random) => {
    // Pictures of one size have one mask, where chance decides once.
    const masks = new Map<string, Uint8Array>();
    return (picture): ChangedPicture => {
      const [height, width] = pictureSizes(picture);
      const shape = [Math.ceil(height / pixels), Math.ceil(width / pixels)] as const;
      const known = per === 'example' ? masks.get(shape.join()) : undefined;
      const mask = known ?? drawMask(shape[0] * shape[1], fraction, random);
      masks.set(shape.join(), mask);
      return {
        picture: masked(picture, mask, { pixels, fill: fill === 'mean' ? undefined : random }),
        ...(withTarget && { beside: { mask: { data: mask, shape }, whole: picture } }),
      };
    };
  });
}

/** 1 at `fraction` of the places. */
function drawMask(count: number, fraction: number, random: Random): Uint8Array {
  const places = Uint32Array.from({ length: count }, (_, place) => place);
  const mask = new Uint8Array(count);
  const masked = Math.round(fraction * count);
  // The first steps of a shuffle by Fisher and Yates.
  for (let i = 0; i < masked; i++) {
    const j = i + random.below(count - i);
    mask[places[j] as number] = 1;
    places[j] = places[i] as number;
  }
  return mask;
}

/** `fill` undefined is the mean. */
function masked(
  picture: Picture,
  mask: Uint8Array,
  { pixels, fill }: { readonly pixels: number; readonly fill: Random | undefined },
): Picture {
  const [height, width, channels] = pictureSizes(picture);
  const data = picture.data.slice();
  const columns = Math.ceil(width / pixels);
  const mean = fill === undefined ? channelMeans(picture) : undefined;
  for (const [patch, isMasked] of mask.entries()) {
    if (isMasked === 0) continue;
    const left = (patch % columns) * pixels;
    const top = Math.floor(patch / columns) * pixels;
    const right = Math.min(width, left + pixels);
    for (let y = top; y < Math.min(height, top + pixels); y++)
      for (let at = (y * width + left) * channels; at < (y * width + right) * channels; at++)
        data[at] = mean === undefined ? 256 * (fill as Random).next() : (mean[at % channels] as number);
  }
  return { data, shape: picture.shape };
}

function channelMeans(picture: Picture): Uint8ClampedArray {
  const { data } = picture;
  const [, , channels] = pictureSizes(picture);
  const sums = new Float64Array(channels);
  for (let at = 0; at < data.length; at++)
    sums[at % channels] = (sums[at % channels] as number) + (data[at] as number);
  return Uint8ClampedArray.from(sums, (sum) => sum / (data.length / channels));
}
