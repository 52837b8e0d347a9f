/** What training makes small: losses as pure functions of tensors, each with its formula and where it was published. */

import * as tf from '@tensorflow/tfjs-core';
import type { WeightSpec } from './network.js';

/** Embeddings of a batch of triplets, each [triplets, dimensions]: `a` and `b` belong together, `c` is the odd one. */
export interface TripletEmbeddings {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
  readonly c: tf.Tensor;
}

/**
 * FEC's loss: the mean of [d(a,b) − d(a,c) + δ]₊ + [d(a,b) − d(b,c) + δ]₊, d the squared Euclidean distance of embeddings of
 * length 1 (Vemulapalli and Agarwala, "A Compact Embedding for Facial Expression Similarity", CVPR 2019, equation 1).
 * @param margins δ of each triplet, [triplets]: see `fecMargin`.
 */
export function fecHinges({ a, b, c }: TripletEmbeddings, margins: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const near = squaredDistance(a, b);
    const hinge = (far: tf.Tensor) => tf.relu(tf.add(tf.sub(near, far), margins));
    return tf.mean(tf.add(hinge(squaredDistance(a, c)), hinge(squaredDistance(b, c)))) as tf.Scalar;
  });
}

/** FEC's δ by the triplet's type (section 4.2 of the paper): 0.1 where all three faces share a class, 0.2 for others. */
export function fecMargin(type: string, { oneClass = 0.1, otherwise = 0.2 } = {}): number {
  return /^one_class/i.test(type) ? oneClass : otherwise;
}

/**
 * The soft margin: the mean of ln(1 + exp(d(a,b) − d(a,c))) + ln(1 + exp(d(a,b) − d(b,c))), d the Euclidean distance: it
 * pulls on without end where a hinge is content (Hermans, Beyer and Leibe, "In Defense of the Triplet Loss", 2017).
 */
export function softMarginTriplets({ a, b, c }: TripletEmbeddings): tf.Scalar {
  return tf.tidy(() => {
    const near = distance(squaredDistance(a, b));
    const soft = (far: tf.Tensor) => tf.softplus(tf.sub(near, distance(far)));
    return tf.mean(tf.add(soft(squaredDistance(a, c)), soft(squaredDistance(b, c)))) as tf.Scalar;
  });
}

/**
 * FaceNet's loss with semi-hard mining in the batch: for each pair (anchor, positive) of one label, [d(a,p) − d(a,n) + α]₊
 * with n the nearest negative that is farther than p, or the farthest negative where none is; the mean over such pairs
 * (Schroff, Kalenichenko and Philbin, "FaceNet", CVPR 2015, section 3.2; d is squared).
 * @param embeddings [batch, dimensions], @param labels whole numbers, [batch]. 0 where no two share a label, or all do.
 */
export function semiHardTriplets(embeddings: tf.Tensor, labels: tf.Tensor, margin: number): tf.Scalar {
  return tf.tidy(() => {
    const { distances, isPositive, isNegative } = pairs(embeddings, labels);
    // [anchor, positive, negative]; the mask keeps those of another label that are farther than the positive.
    const far = tf.expandDims(distances, 1);
    const negatives = tf.expandDims(isNegative, 1);
    const isFarther = withoutGradient(
      (near) =>
        tf.mul(tf.cast(tf.greater(tf.expandDims(near, 1), tf.expandDims(near, 2)), 'float32'), negatives),
      distances,
    );
    const nearestFarther = tf.min(whereOr(isFarther, far, FAR_AWAY), 2);
    const farthest = tf.max(whereOr(isNegative, distances, -FAR_AWAY), 1, true);
    const chosen = tf.add(
      tf.mul(tf.max(isFarther, 2), nearestFarther),
      tf.mul(tf.sub(1, tf.max(isFarther, 2)), farthest),
    );
    const hinges = tf.relu(tf.add(tf.sub(distances, chosen), margin));
    return meanWhere(hinges, tf.mul(isPositive, hasAny(isNegative)));
  });
}

/**
 * The same with hard mining: for each anchor [max d(a,p) − min d(a,n) + α]₊, the mean over anchors that have both ("batch
 * hard" of Hermans, Beyer and Leibe, 2017, equation 5; d is the Euclidean distance there and here).
 */
export function hardTriplets(embeddings: tf.Tensor, labels: tf.Tensor, margin: number): tf.Scalar {
  return tf.tidy(() => {
    const { distances: squared, isPositive, isNegative } = pairs(embeddings, labels);
    const distances = distance(squared);
    const farthest = tf.max(whereOr(isPositive, distances, -FAR_AWAY), 1, true);
    const nearest = tf.min(whereOr(isNegative, distances, FAR_AWAY), 1, true);
    const hinges = tf.relu(tf.add(tf.sub(farthest, nearest), margin));
    return meanWhere(hinges, tf.mul(hasAny(isPositive), hasAny(isNegative)));
  });
}

/**
 * Cross-entropy: −Σ w(label) · ln softmax(logits)[label] / Σ w(label). With weights as they are inverse to the classes'
 * frequencies, rare classes count as much as common ones.
 * @param logits [batch, classes], @param labels 0 … classes − 1, [batch], @param classWeights [classes]; all 1 where absent.
 */
export function crossEntropy(logits: tf.Tensor, labels: tf.Tensor, classWeights?: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const classes = logits.shape[1] as number;
    const chosen = tf.cast(tf.oneHot(tf.cast(labels, 'int32'), classes), 'float32');
    const weighted = classWeights === undefined ? chosen : tf.mul(chosen, classWeights);
    const likelihoods = tf.sum(tf.mul(weighted, tf.logSoftmax(logits)));
    return tf.neg(tf.div(likelihoods, tf.sum(weighted))) as tf.Scalar;
  });
}

/**
 * NT-Xent, of two views of each example: the mean over all 2n views of −ln(exp(s(i,j)/τ) / Σ_{k≠i} exp(s(i,k)/τ)), j the
 * other view of i, s the cosine (Chen et al., "A Simple Framework for Contrastive Learning", 2020, equation 1).
 * @param first, @param second the views' embeddings of length 1, [n, dimensions] each. @param temperature τ.
 */
export function ntXent(first: tf.Tensor, second: tf.Tensor, temperature: number): tf.Scalar {
  return tf.tidy(() => {
    const count = first.shape[0] as number;
    const all = tf.concat([first, second]) as tf.Tensor2D;
    const similarities = tf.div(tf.matMul(all, tf.transpose(all)), temperature);
    const others = tf.sub(similarities, tf.mul(tf.eye(2 * count), FAR_AWAY));
    const partner = tf.concat([tf.range(count, 2 * count, 1, 'int32'), tf.range(0, count, 1, 'int32')]);
    return crossEntropy(others, partner);
  });
}

/** Of relative positioning's classifier: w, [dimensions], and its bias, a scalar. */
export interface PositioningHead {
  readonly weights: tf.Tensor;
  readonly bias: tf.Tensor;
}

/** The head's two weights, for embeddings of so many dimensions: `positioning/kernel` and `positioning/bias`. */
export function positioningWeights(dimensions: number): WeightSpec[] {
  const common = { fan: [dimensions, 1], trainable: true } as const;
  return [
    { name: 'positioning/kernel', shape: [dimensions], initialiser: 'glorotUniform', ...common },
    { name: 'positioning/bias', shape: [], initialiser: 'zeros', ...common },
  ];
}

/**
 * Relative positioning: the mean of ln(1 + exp(−y (wᵀ|h₁ − h₂| + b))), y 1 for windows near each other and −1 for others
 * (Banville et al., "Uncovering the structure of clinical EEG signals with self-supervised learning", 2021, equation 1).
 * @param first, @param second embeddings of the windows of each pair, [pairs, dimensions]. @param isNear 1 or 0, [pairs].
 */
export function relativePositioning(
  first: tf.Tensor,
  second: tf.Tensor,
  isNear: tf.Tensor,
  { weights, bias }: PositioningHead,
): tf.Scalar {
  return tf.tidy(() => {
    const logits = tf.add(tf.sum(tf.mul(tf.abs(tf.sub(first, second)), weights), 1), bias);
    const sign = tf.sub(1, tf.mul(2, isNear));
    return tf.mean(tf.softplus(tf.mul(logits, sign))) as tf.Scalar;
  });
}

/**
 * Distillation by the geometry of embeddings, whose dimensions may differ: the mean over pairs i ≠ j of the Huber loss
 * (δ = 1) of the student's distance and the teacher's, each divided by the mean distance in its batch (Park et al.,
 * "Relational Knowledge Distillation", CVPR 2019, equations 5 to 7).
 * @param student, @param teacher embeddings of the same examples, [batch, …].
 */
export function distilEmbeddings(student: tf.Tensor, teacher: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const size = student.shape[0] as number;
    const others = tf.sub(1, tf.eye(size));
    const relative = (embeddings: tf.Tensor): tf.Tensor => {
      const distances = tf.mul(distance(pairwiseSquaredDistances(embeddings)), others);
      return tf.div(distances, tf.maximum(meanWhere(distances, others), LEAST_SQUARED_DISTANCE));
    };
    const difference = tf.abs(tf.sub(relative(student), relative(teacher)));
    const within = tf.minimum(difference, 1);
    const huber = tf.add(tf.mul(0.5, tf.square(within)), tf.sub(difference, within));
    return meanWhere(huber, others);
  });
}

/**
 * Distillation by logits: T² · the mean cross-entropy of softmax(teacher / T) and softmax(student / T), less the teacher's
 * entropy, so that 0 is reached (Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2).
 * @param student, @param teacher logits, [batch, classes]. @param temperature T.
 */
export function distilLogits(student: tf.Tensor, teacher: tf.Tensor, temperature: number): tf.Scalar {
  return tf.tidy(() => {
    const wanted = tf.logSoftmax(tf.div(teacher, temperature));
    const given = tf.logSoftmax(tf.div(student, temperature));
    const divergence = tf.sum(tf.mul(tf.exp(wanted), tf.sub(wanted, given)), 1);
    return tf.mul(tf.mean(divergence), temperature ** 2) as tf.Scalar;
  });
}

/** ‖x − y‖² of each row, [rows]. */
export function squaredDistance(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  return tf.sum(tf.squaredDifference(x, y), 1);
}

/** ‖xᵢ − xⱼ‖² of all rows, [rows, rows], never below 0. */
export function pairwiseSquaredDistances(x: tf.Tensor): tf.Tensor {
  const matrix = x as tf.Tensor2D;
  const squares = tf.sum(tf.square(matrix), 1, true);
  // A transpose of its own: matMul with a flag is slow on the WASM backend.
  const products = tf.matMul(matrix, tf.transpose(matrix));
  return tf.relu(tf.sub(tf.add(squares, tf.transpose(squares)), tf.mul(2, products)));
}

/** The root, kept from the point where its gradient has no end. */
function distance(squared: tf.Tensor): tf.Tensor {
  return tf.sqrt(tf.maximum(squared, LEAST_SQUARED_DISTANCE));
}

/** Squared distances are differences of numbers about 1 in single precision: below this they are rounding. */
const LEAST_SQUARED_DISTANCE = 1e-12;

/** Beyond all distances of embeddings, and far from the end of single precision. */
const FAR_AWAY = 1e9;

/** Squared distances, and which pairs are of one label (none with itself) and which are not: 1 or 0, [batch, batch]. */
function pairs(embeddings: tf.Tensor, labels: tf.Tensor) {
  const size = embeddings.shape[0] as number;
  const numbers = tf.cast(labels, 'int32');
  const isSame = tf.cast(tf.equal(tf.reshape(numbers, [size, 1]), tf.reshape(numbers, [1, size])), 'float32');
  return {
    distances: pairwiseSquaredDistances(embeddings),
    isPositive: tf.sub(isSame, tf.eye(size)),
    isNegative: tf.sub(1, isSame),
  };
}

function whereOr(mask: tf.Tensor, values: tf.Tensor, otherwise: number): tf.Tensor {
  return tf.add(tf.mul(values, mask), tf.mul(otherwise, tf.sub(1, mask)));
}

/** What a choice is made by: comparisons have no gradient, and TF.js refuses to go back through them. */
function withoutGradient(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor {
  return tf.customGrad((...given) => {
    const [x, save] = given as unknown as [tf.Tensor, (saved: tf.Tensor[]) => void];
    save([x]);
    return { value: f(x), gradFunc: (_, [x]) => tf.zerosLike(x as tf.Tensor) };
  })(x);
}

/** 1 for rows with a 1 in them, [rows, 1]. */
function hasAny(mask: tf.Tensor): tf.Tensor {
  return tf.max(mask, 1, true);
}

/** The mean of values where the mask, broadcast to them, is 1; 0 where it is nowhere. */
function meanWhere(values: tf.Tensor, mask: tf.Tensor): tf.Scalar {
  const weights = tf.mul(tf.onesLike(values), mask);
  return tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1)) as tf.Scalar;
}
