/** The learning rate of each step, as hyper-parameters say it. */

import type { Hparams } from '../models/hparams.js';
import type { LearningRateSchedule } from './learning_rate.js';

/**
 * `cosine` reaches 0 at the last step. `rsqrt` has the learning rate where the warm-up ends, and from there falls by
 * 1/√step (tensor2tensor's `noam` without the size of the network).
 */
export function scheduleOf(hparams: Hparams): LearningRateSchedule {
  const { learning_rate: rate, learning_rate_warmup_steps: warmupSteps, train_steps } = hparams;
  switch (hparams.learning_rate_schedule) {
    case 'constant':
      return { kind: 'constant', rate, warmupSteps };
    case 'cosine':
      return { kind: 'cosine', rate, steps: Math.max(1, train_steps - warmupSteps), warmupSteps };
    case 'rsqrt': {
      const rise = Math.max(1, warmupSteps);
      return { kind: 'noam', hiddenSize: 1, scale: rate * Math.sqrt(rise), warmupSteps: rise };
    }
  }
}
