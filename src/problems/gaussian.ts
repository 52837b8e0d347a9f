/** Normally distributed numbers from uniform ones, fast enough for every sample of a window. */

import type { Random } from '../io/random.js';

/**
 * Draws with mean 0 and deviation 1. The ziggurat of Marsaglia and Tsang, "The ziggurat method for generating random
 * variables", Journal of Statistical Software 5(8), 2000: the bell lies under 128 layers of one area, and of nearly every
 * draw one uniform number says both the layer and the place in it.
 */
export function gaussian(random: Random): () => number {
  return () => {
    for (;;) {
      const bits = (random.next() * UNIFORMS) >>> 0;
      const layer = bits & (LAYERS - 1);
      const side = (bits >>> LAYER_BITS) / SIDE - 1;
      const place = side * (EDGES[layer] as number);
      if (Math.abs(place) < (EDGES[layer + 1] as number)) return place;
      if (layer === 0) return Math.sign(side) * tail(random);
      const low = HEIGHTS[layer] as number;
      const high = HEIGHTS[layer + 1] as number;
      if (low + random.next() * (high - low) < density(place)) return place;
    }
  };
}

/** Their number, and the paper's numbers for it: where the tail begins, and the area of a layer. */
const LAYER_BITS = 7;
const LAYERS = 2 ** LAYER_BITS;
/** Uniform numbers there are, and half of those for one layer; not written out above, where a power costs more than all else. */
const UNIFORMS = 2 ** 32;
const SIDE = 2 ** (31 - LAYER_BITS);
const TAIL = 3.442619855899;
const AREA = 9.91256303526217e-3;

/** Right edges of the layers, from the lowest, which is as wide as its area asks, to the top. */
const EDGES = edges();
const HEIGHTS = EDGES.map(density);

function edges(): Float64Array {
  const result = new Float64Array(LAYERS + 1);
  result[0] = AREA / density(TAIL);
  result[1] = TAIL;
  for (let i = 2; i < LAYERS; i++) {
    const below = result[i - 1] as number;
    result[i] = Math.sqrt(-2 * Math.log(AREA / below + density(below)));
  }
  return result;
}

/** Of the bell, 1 at its top. */
function density(x: number): number {
  return Math.exp(-0.5 * x * x);
}

/** A number beyond TAIL: Marsaglia, "Generating a variable from the tail of the normal distribution", Technometrics 6, 1964. */
function tail(random: Random): number {
  for (;;) {
    // 1 − next(): never 0, of which there is no logarithm.
    const beyond = -Math.log(1 - random.next()) / TAIL;
    if (-2 * Math.log(1 - random.next()) >= beyond * beyond) return TAIL + beyond;
  }
}
