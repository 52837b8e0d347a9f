/** Mixtures: examples of several Problems in given proportions, as tensor2tensor's multi-problem training wants them. */

import { createHash } from 'node:crypto';
import { UserError } from '../io/errors.js';
import type { Flow, Pipeline, Place, Stage } from './pipeline.js';
import { pairOf, strangePlace } from './stages.js';

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
   * others going on in proportion to each other. 'first-ends' where not said.
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
      // Only what is still open is drawn from: a source of small weight may be left alone for long.
      let opened: OpenSource<T>[] = sources.flatMap(({ weight }, i) =>
        isEnded(places[i]!)
          ? []
          : [{ source: i, weight, flow: stages[i]!.open({ epoch, from: places[i]! }) }],
      );
      return {
        async next() {
          while (opened.length > 0) {
            const next = drawn(start, draws++, opened);
            const step = await next.flow.next();
            places = places.with(next.source, step === undefined ? ENDED : step.after);
            if (step !== undefined) return { value: step.value, after: [draws, places] };
            if (until === 'first-ends') return undefined;
            await next.flow.close();
            opened = opened.filter((other) => other !== next);
          }
          return undefined;
        },
        async close() {
          await Promise.all(opened.map(({ flow }) => flow.close()));
        },
      };
    },
  };
  return first.examples.with(stage);
}

/** 2^32 divided by the golden ratio, odd: steps of it visit every number below 2^32 before one comes again. */
const GOLDEN = 0x9e3779b9;

interface OpenSource<T> {
  readonly source: number;
  readonly weight: number;
  readonly flow: Flow<T>;
}

/** The place of a source that has ended: no stage has a place of no parts. */
const ENDED: Place = [];

function isEnded(place: Place): boolean {
  return Array.isArray(place) && place.length === 0;
}

/** @param opened at least one */
function drawn<T>(start: number, draw: number, opened: readonly OpenSource<T>[]): OpenSource<T> {
  const total = opened.reduce((sum, { weight }) => sum + weight, 0);
  let rest = ((start + Math.imul(draw, GOLDEN)) >>> 0) * (total / 2 ** 32);
  for (const source of opened) {
    if (rest < source.weight) return source;
    rest -= source.weight;
  }
  return opened.at(-1)!;
}

function placesIn(from: Place, stages: readonly unknown[]): [draws: number, places: readonly Place[]] {
  if (from === null) return [0, stages.map(() => null)];
  const [draws, places] = pairOf(from);
  if (!Array.isArray(places) || places.length !== stages.length) throw strangePlace(from);
  return [draws, places];
}
