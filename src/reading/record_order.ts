/** Which record stands at which position of an epoch, and which positions belong to which of several readers. */

import { type Permutation, pseudorandomPermutation } from './permutation.js';

/** `global`: any record anywhere, another order in each epoch. `plan`: as the files have them. */
export type Shuffle = (typeof SHUFFLES)[number];

export const SHUFFLES = ['global', 'plan'] as const;

/** One of `world` readers that share an epoch: it takes the positions that leave the remainder `rank` when divided by `world`. */
export interface Share {
  readonly rank: number;
  readonly world: number;
}

/** The order of one epoch. */
export function epochOrder(
  records: number,
  order: { readonly shuffle: Shuffle; readonly seed: number; readonly epoch: number },
): Permutation {
  if (order.shuffle === 'plan') return (position) => position;
  return pseudorandomPermutation(records, `order/${order.seed}/${order.epoch}`);
}

/** The first position not before `position` that belongs to a reader. */
export function firstPosition(position: number, { rank, world }: Share): number {
  return position + ((((rank - position) % world) + world) % world);
}
