/** Keeps one of several boxes around the same face. */

import { intersectionOverUnion, type PixelBox } from './face.js';

/**
 * The boxes that stay, best first: each in turn removes the worse ones that cover too much of the same pixels (greedy
 * non-maximum suppression). Of two with equal scores the earlier one is the better.
 * @param maxOverlap intersection over union, 0 … 1, up to which two boxes may be two faces.
 * @param maxShare the part of the smaller box's area that may lie in the better box, 0 … 1: a second box inside a face's own is
 *   a nose or a mouth, though its intersection over union is small.
 */
export function suppress<T extends { readonly box: PixelBox; readonly score: number }>(
  found: readonly T[],
  { maxOverlap, maxShare }: { readonly maxOverlap: number; readonly maxShare: number },
): T[] {
  const kept: T[] = [];
  for (const candidate of [...found].sort((a, b) => b.score - a.score)) {
    const isSame = (better: T): boolean =>
      intersectionOverUnion(better.box, candidate.box) > maxOverlap ||
      sharedPart(better.box, candidate.box) > maxShare;
    if (!kept.some(isSame)) kept.push(candidate);
  }
  return kept;
}

/** Area of the intersection over the area of the smaller box, 0 … 1. */
export function sharedPart(a: PixelBox, b: PixelBox): number {
  const union = intersectionOverUnion(a, b);
  const areas = [a.width * a.height, b.width * b.height];
  const both = (areas[0] as number) + (areas[1] as number);
  // From i ⁄ (a + b − i) back to i.
  return (union * both) / (1 + union) / Math.min(...areas);
}
