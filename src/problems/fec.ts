/** Facial expression correspondence: which of three faces shows the expression that differs from the other two. */

import type { Dataset } from '../datasets/dataset.js';
import { type FecSource, fecDataset } from '../datasets/fec/fec.js';
import type { FecRow, MalformedFecRow } from '../datasets/fec/fec_csv.js';
import { photographId } from '../datasets/fec/flickr.js';
import { float32, int64, text } from '../io/features.js';
import { colourJitter } from './colour_augmentations.js';
import { cutDevSplit, type SplitCut } from './dev_split.js';
import { faceFeatures, faceValues } from './face_features.js';
import { FACE_OPTION_RANGES, FACE_OPTIONS } from './face_options.js';
import { horizontalFlip, randomCrop, randomShift } from './placement_augmentations.js';
import type { PlanContext, PreparedInput, RejectedRow, Split } from './problem.js';
import { registerProblem } from './registry.js';
import { reject } from './rejection.js';
import { TripletProblem } from './triplet.js';

export class FacialExpressionCorrespondence extends TripletProblem<FecRow, FecSource> {
  readonly name: string = 'fec';
  readonly description: string =
    'Triplets of faces from FEC: which one shows the expression that differs from the other two';
  readonly dataset: Dataset<FecSource> = fecDataset;
  override readonly options = {
    ...FACE_OPTIONS,
    /** Votes of six that must name the same odd one out; rows with more annotators need the same fraction. */
    min_agreement: 4,
    /** Fraction of the train file's rows that dev should get … */
    dev_fraction: 0.02,
    /** … unless cutting it out costs more than this fraction of them, since rows on both sides are lost. */
    dev_loss: 0.05,
  };

  override readonly optionRanges = {
    ...FACE_OPTION_RANGES,
    min_agreement: [0, 6],
    dev_fraction: [0, 1],
    dev_loss: [0, 1],
  } as const;

  /** A face's expression has no side. Flips and crops: Li and Deng, "Deep facial expression recognition: a survey", 2020, 3.1.2. */
  override readonly augmentations = [
    horizontalFlip(),
    randomShift({ fraction: 0.04, fill: 'edge' }),
    randomCrop({ leastArea: 0.85 }),
    colourJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, grey: 0.1 }),
  ];

  get features() {
    return {
      key: text(),
      ...faceFeatures('image/a', this.options),
      'image/a/url': text(),
      'image/a/box': float32([4]),
      ...faceFeatures('image/b', this.options),
      'image/b/url': text(),
      'image/b/box': float32([4]),
      ...faceFeatures('image/c', this.options),
      'image/c/url': text(),
      'image/c/box': float32([4]),
      triplet_code: int64(),
      type: text(),
      'rating/all': int64([null]),
      'rating/annotator': int64([null]),
      'rating/mean': float32(),
      'rating/mode': int64(),
    };
  }

  async *plan(split: Split, source: FecSource, context: PlanContext): AsyncGenerator<FecRow | RejectedRow> {
    if (split === 'test') {
      for await (const row of source.rows('test'))
        yield 'malformed' in row ? malformed(row) : this.agreed(row);
      return;
    }
    const cut = await this.cut(source, context);
    let position = 0;
    for await (const row of source.rows('train')) {
      if ('malformed' in row) {
        if (split === 'train') yield malformed(row);
        continue;
      }
      const side = cut.sideOf(position++);
      if ((side === 'dev') !== (split === 'dev')) continue;
      if (side === 'shared') yield { key: row.key, ...reject('in-test-split') };
      else if (side === 'straddling') yield { key: row.key, ...reject('in-dev-split') };
      else yield this.agreed(row);
    }
  }

  example(row: FecRow, inputs: readonly PreparedInput[]) {
    const [a, b, c] = inputs as readonly [PreparedInput, PreparedInput, PreparedInput];
    const { code } = majority(row.ratings);
    return {
      key: row.key,
      ...faceValues('image/a', a),
      'image/a/url': a.input.url,
      'image/a/box': boxNumbers(row, 0),
      ...faceValues('image/b', b),
      'image/b/url': b.input.url,
      'image/b/box': boxNumbers(row, 1),
      ...faceValues('image/c', c),
      'image/c/url': c.input.url,
      'image/c/box': boxNumbers(row, 2),
      triplet_code: code,
      type: row.type,
      'rating/all': row.ratings,
      'rating/annotator': row.annotators.map(BigInt),
      'rating/mean': row.ratings.reduce((sum, rating) => sum + rating, 0) / row.ratings.length,
      'rating/mode': code,
    };
  }

  /** The row, or its rejection where too few annotators agree. */
  private agreed(row: FecRow): FecRow | RejectedRow {
    const { votes } = majority(row.ratings);
    if (votes * 6 >= this.options.min_agreement * row.ratings.length) return row;
    return {
      key: row.key,
      ...reject('low-agreement', `${votes} of ${row.ratings.length} annotators agree`),
    };
  }

  /** Reads both files once for who shares images with whom; kept for the source, since train and dev both ask. */
  private async cut(source: FecSource, context: PlanContext): Promise<SplitCut> {
    const settings = `${context.seed} ${this.options.dev_fraction} ${this.options.dev_loss}`;
    const known = cuts.get(source);
    if (known?.settings === settings) {
      for (const text of known.notes) context.note(text);
      return known.cut;
    }
    const numbers = new Map<string, number>();
    const photographs: number[] = [];
    const numberOf = (url: string): number => {
      const id = photographId(url);
      const number = numbers.get(id) ?? numbers.size;
      numbers.set(id, number);
      return number;
    };
    for await (const row of source.rows('train'))
      if (!('malformed' in row)) for (const face of row.faces) photographs.push(numberOf(face.url));
    const inTest = new Uint8Array(numbers.size);
    for await (const row of source.rows('test'))
      if (!('malformed' in row))
        for (const face of row.faces) {
          const number = numbers.get(photographId(face.url));
          if (number !== undefined) inTest[number] = 1;
        }
    const cut = cutDevSplit({
      images: Uint32Array.from(photographs),
      perRow: 3,
      imageCount: numbers.size,
      inTest,
      fraction: this.options.dev_fraction,
      maxLoss: this.options.dev_loss,
      seed: `${this.name} dev ${context.seed}`,
    });
    const sharedImages = inTest.reduce((sum, shared) => sum + shared, 0);
    const notes = [
      `train and test share ${sharedImages} photographs: ${cut.rows.shared} rows of the train file are kept out of train`,
      `dev has ${cut.rows.dev} rows cut from the train file; ${cut.rows.straddling} more are on both sides of the cut and lost`,
    ];
    for (const text of notes) context.note(text);
    cuts.set(source, { settings, cut, notes });
    return cut;
  }
}

registerProblem(FacialExpressionCorrespondence);

const cuts = new WeakMap<FecSource, { settings: string; cut: SplitCut; notes: readonly string[] }>();

/** The odd one out that most annotators name (the lowest number where two are named equally often), and its votes. */
export function majority(ratings: readonly number[]): { code: number; votes: number } {
  const votes = [0, 0, 0, 0];
  for (const rating of ratings) votes[rating]! += 1;
  const most = Math.max(...votes);
  return { code: votes.indexOf(most), votes: most };
}

/** Left, top, right, bottom: fractions of the upright photograph. */
function boxNumbers(row: FecRow, face: 0 | 1 | 2): number[] {
  const { left, top, right, bottom } = row.faces[face].box;
  return [left, top, right, bottom];
}

function malformed(row: MalformedFecRow): RejectedRow {
  return { key: row.key, ...reject('malformed-row', row.malformed) };
}
