/** Classification: the confusion matrix, and what is read off it. Definitions and corner cases are scikit-learn's. */

/** Counts (or sums of weights); row `truth`, column `answer`: `counts[truth * classes + answer]`. */
export interface ConfusionMatrix {
  readonly classes: number;
  readonly counts: Float64Array;
}

/** Labels and answers are class numbers from 0. @throws RangeError for another number, or lists of different lengths. */
export function confusionMatrix(
  rows: {
    readonly labels: ArrayLike<number>;
    readonly answers: ArrayLike<number>;
    readonly classes: number;
  },
  weights?: Float64Array,
): ConfusionMatrix {
  const { labels, answers, classes } = rows;
  if (labels.length !== answers.length)
    throw new RangeError(`${answers.length} answers for ${labels.length} labels`);
  const counts = new Float64Array(classes * classes);
  for (let row = 0; row < labels.length; row++) {
    const [truth, answer] = [labels[row]!, answers[row]!];
    for (const number of [truth, answer])
      if (!(Number.isInteger(number) && number >= 0 && number < classes))
        throw new RangeError(`class ${number} of row ${row}, where there are ${classes} classes`);
    counts[truth * classes + answer]! += weights === undefined ? 1 : weights[row]!;
  }
  return { classes, counts };
}

/** Right answers and wrong ones, by class. */
export interface ClassScores {
  /** Rows of the class, or their weight. */
  readonly rows: number;
  /** Right among the answers that name the class; NaN where none does. */
  readonly precision: number;
  /** Right among the rows of the class; NaN where there are none. */
  readonly recall: number;
  /** Their harmonic mean, 2 right ⁄ (rows + answers); NaN where the class occurs in neither. */
  readonly f1: number;
}

export function classScores({ classes, counts }: ConfusionMatrix): ClassScores[] {
  return Array.from({ length: classes }, (_, one) => {
    const right = counts[one * classes + one]!;
    let rows = 0;
    let answers = 0;
    for (let other = 0; other < classes; other++) {
      rows += counts[one * classes + other]!;
      answers += counts[other * classes + one]!;
    }
    return { rows, precision: right / answers, recall: right / rows, f1: (2 * right) / (rows + answers) };
  });
}

/** The share of right answers. */
export function accuracy({ classes, counts }: ConfusionMatrix): number {
  let right = 0;
  for (let one = 0; one < classes; one++) right += counts[one * classes + one]!;
  return right / total(counts);
}

/** The mean recall of the classes that there are rows of: 1 ⁄ classes for one answer to everything. */
export function balancedAccuracy(matrix: ConfusionMatrix): number {
  return meanOfNumbers(classScores(matrix).map(({ recall }) => recall));
}

/** The mean F1 of the classes that occur, as label or as answer. */
export function macroF1(matrix: ConfusionMatrix): number {
  return meanOfNumbers(classScores(matrix).map(({ f1 }) => f1));
}

/**
 * Agreement beyond chance, (p₀ − pₑ) ⁄ (1 − pₑ): 0 for chance, 1 for perfect (Cohen, Educational and Psychological
 * Measurement 20, 1960). NaN where labels and answers are all of one class.
 */
export function cohensKappa(matrix: ConfusionMatrix): number {
  const { classes, counts } = matrix;
  const all = total(counts);
  let expected = 0;
  for (let one = 0; one < classes; one++) {
    let rows = 0;
    let answers = 0;
    for (let other = 0; other < classes; other++) {
      rows += counts[one * classes + other]!;
      answers += counts[other * classes + one]!;
    }
    expected += (rows / all) * (answers / all);
  }
  if (expected >= 1) return Number.NaN;
  return (accuracy(matrix) - expected) / (1 - expected);
}

function total(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function meanOfNumbers(values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
