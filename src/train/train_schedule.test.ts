import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hparams } from '../models/hparams.js';
import { learningRate, scheduleFault } from './learning_rate.js';
import { scheduleOf } from './train_schedule.js';

test('every schedule rises to the learning rate, stays between 0 and it, and is without fault', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('constant', 'cosine', 'rsqrt'),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 400 }),
      (learning_rate_schedule, train_steps, learning_rate_warmup_steps) => {
        const schedule = scheduleOf(
          hparams({ learning_rate_schedule, train_steps, learning_rate_warmup_steps, learning_rate: 0.01 }),
        );
        expect(scheduleFault(schedule)).toBeUndefined();
        const rates = Array.from({ length: train_steps }, (_, step) => learningRate(schedule, step));
        for (const rate of rates) {
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(0.01 * (1 + 1e-12));
        }
        if (learning_rate_warmup_steps < train_steps) expect(Math.max(...rates)).toBeCloseTo(0.01, 10);
      },
    ),
  );
});

test('a cosine is near 0 at the last step, and 1/√step is half at four times the warm-up', () => {
  const cosine = scheduleOf(
    hparams({ train_steps: 1000, learning_rate: 1, learning_rate_warmup_steps: 100 }),
  );
  expect(learningRate(cosine, 999)).toBeLessThan(1e-5);
  const rsqrt = scheduleOf(
    hparams({ learning_rate_schedule: 'rsqrt', learning_rate: 1, learning_rate_warmup_steps: 100 }),
  );
  expect([99, 399].map((step) => Math.round(learningRate(rsqrt, step) * 1e9) / 1e9)).toEqual([1, 0.5]);
});
