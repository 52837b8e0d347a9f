/** Mixtures: examples of several Problems in given proportions, as tensor2tensor's multi-problem training wants them. */

import { createHash } from 'node:crypto';
import { UserError } from '../io/errors.js';
import type { Flow, Pipeline, Place, Stage } from './pipeline.js';
import { pairOf } from './stages.js';

export interface MixSource<T, Batch> {
  /** Ended by itself, or endless with `repeat()`. */
  readonly examples: Pipeline<T, Batch>;
  /** In proportion to the others', above 0. */
  readonly weight: number;
}

export interface MixOptions {
  readonly seed?: number;
  /**
   * When the mixture ends: with the first source that does, so that the weights hold to the end, or with the last, the
   * others going on in proportion. 'first-ends' where not said.
   */
  readonly until?: 'first-ends' | 'all-end';
}

/**
 * Items of several pipelines, the same in every run with the same seed. Which source comes next is drawn by a golden-ratio
 * sequence (Kronecker's; Knuth, The Art of Computer Programming, 6.4), the seed being its start: of any stretch of n items
 * a source's share is kept to within a few items, where drawing by chance would miss it by some √n.
 * Batches are made as the first source makes them.
 */
export function mixExamples<T, Batch>(
  sources: readonly MixSource<T, Batch>[],
  options: MixOptions = {},
): Pipeline<T, Batch> {
  const { seed = 0, until = 'first-ends' } = options;
  const [first] = sources;
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  if (
    first === undefined ||
    !(total < Number.POSITIVE_INFINITY) ||
    sources.some(({ weight }) => !(weight > 0))
  )
    throw new UserError('a mixture needs sources, and weights above 0', {
      remedy: 'leave out what shall not be drawn',
    });
  const stages = sources.map(({ examples }) => examples.stage);
  const names = sources.map(({ weight }, i) => `${stages[i]!.name}*${weight / total}`);
  const start = createHash('sha256').update(`mix/${seed}`).digest().readUInt32LE(0);
  const stage: Stage<T> = {
    name: `mix(${seed},${until},${names.join(' ')})`,
    open({ epoch, from }) {
      let [draws, places] = placesIn(from, stages);
      const flows: (Flow<T> | undefined)[] = stages.map((of, i) => of.open({ epoch, from: places[i]! }));
      return {
        async next() {
          while (flows.some((flow) => flow !== undefined)) {
            const source = drawn(start, draws++, sources, total);
            const step = await flows[source]?.next();
            if (step !== undefined) {
              places = places.with(source, step.after);
              return { value: step.value, after: [draws, places] };
            }
            if (until === 'first-ends') return undefined;
            // Draws that fall to it from now on are drawn again.
            await flows[source]?.close();
            flows[source] = undefined;
          }
          return undefined;
        },
        async close() {
          await Promise.all(flows.map((flow) => flow?.close()));
        },
      };
    },
  };
  return first.examples.with(stage);
}

/** 2^32 divided by the golden ratio, odd: steps of it visit every number below 2^32 before one comes again. */
const GOLDEN = 0x9e3779b9;

function drawn(
  start: number,
  draw: number,
  sources: readonly { readonly weight: number }[],
  total: number,
): number {
  let rest = ((start + Math.imul(draw, GOLDEN)) >>> 0) * (total / 2 ** 32);
  for (const [i, { weight }] of sources.entries()) {
    if (rest < weight) return i;
    rest -= weight;
  }
  return sources.length - 1;
}

function placesIn(from: Place, stages: readonly unknown[]): [draws: number, places: readonly Place[]] {
  const [draws, places] = pairOf(from);
  if (Array.isArray(places) && places.length === stages.length) return [draws, places];
  return [draws, stages.map(() => null)];
}
