import { expect, test } from 'vitest';
import { askJsonWitness } from '../../fixtures/json_witness.js';
import { seededRandom } from '../io/random.js';
import {
  accuracy,
  balancedAccuracy,
  classScores,
  cohensKappa,
  confusionMatrix,
  macroF1,
} from './classification.js';
import { squaredDistance } from './embeddings.js';
import { welch } from './power_spectrum.js';
import { retrieve } from './retrieval.js';
import { equalErrorRate, rankPairs, rocAuc, rocCurve } from './verification.js';

const random = seededRandom('metrics peers');
const list = <T>(length: number, value: (at: number) => T): T[] =>
  Array.from({ length }, (_, at) => value(at));

/** With ties, since distances are whole numbers, and with weights, some of them 0. */
const same = list(300, () => random.below(2));
const distances = same.map((isSame) => random.below(30) + (isSame === 1 ? 0 : 8));
const weights = list(300, () => (random.below(8) === 0 ? 0 : random.next()));
const labels = list(300, () => random.below(4));
const answers = labels.map((label) => (random.below(3) === 0 ? random.below(4) : label));
/** 40 points on a grid of 6 × 6, so that many distances tie. */
const points = { data: Float32Array.from(list(80, () => random.below(6))), shape: [40, 2] };
const pointLabels = list(40, () => random.below(5));
const signal = list(700, (at) => Math.sin(at / 3) + random.next());

interface Witnessed {
  readonly pairs: {
    readonly auc: number;
    readonly far: number[];
    readonly tar: number[];
    readonly eer: number;
  };
  readonly classes: Readonly<Record<'accuracy' | 'balanced' | 'f1' | 'kappa', number>> &
    Readonly<Record<'matrix' | 'precision' | 'recall' | 'class_f1', number[]>>;
  readonly queries: number[];
  readonly signal: number[];
}

const witness = askJsonWitness('metrics.py', 'scikit-learn', {
  pairs: { distances, same, weights },
  classes: { labels, answers, weights },
  queries: {
    distances: list(40, (i) => list(40, (j) => squaredDistance(points, i, points, j))),
    labels: pointLabels,
  },
  signal: { values: signal, rate: 160, segment: 250, size: 256 },
}) as Witnessed | undefined;

test.skipIf(witness === undefined)(
  "verification is scikit-learn's: curve, area, equal error rate (skipped without it)",
  () => {
    const { auc, far, tar, eer } = witness!.pairs;
    const pairs = rankPairs(distances, same);
    const by = Float64Array.from(weights);
    const curve = [...rocCurve(pairs, by)];
    close(
      curve.map((point) => point.far),
      far,
    );
    close(
      curve.map((point) => point.tar),
      tar,
    );
    close([rocAuc(pairs, by)], [auc]);
    close([equalErrorRate(pairs, by)], [eer]);
  },
);

test.skipIf(witness === undefined)(
  "classification is scikit-learn's, with weights (skipped without it)",
  () => {
    const matrix = confusionMatrix({ labels, answers, classes: 4 }, Float64Array.from(weights));
    const { matrix: counts, precision, recall, class_f1, ...rest } = witness!.classes;
    close(matrix.counts, counts);
    close(
      [accuracy(matrix), balancedAccuracy(matrix), macroF1(matrix), cohensKappa(matrix)],
      [rest.accuracy, rest.balanced, rest.f1, rest.kappa],
    );
    const scores = classScores(matrix);
    close(
      scores.map((score) => score.precision),
      precision,
    );
    close(
      scores.map((score) => score.recall),
      recall,
    );
    close(
      scores.map((score) => score.f1),
      class_f1,
    );
  },
);

test.skipIf(witness === undefined)(
  "average precision is scikit-learn's, ties and all (skipped without it)",
  () => {
    close(retrieve(points, pointLabels).averagePrecision, witness!.queries);
  },
);

test.skipIf(witness === undefined)("a spectrum is that of SciPy's welch (skipped without it)", () => {
  close(welch(signal, 160, 250).density, witness!.signal);
});

function close(ours: ArrayLike<number>, theirs: readonly number[]): void {
  expect(Array.from(ours)).toEqual(theirs.map((value) => expect.closeTo(value, 9)));
}
