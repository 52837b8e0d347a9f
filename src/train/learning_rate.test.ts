import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LearningRateSchedule, learningRate, scheduleFault } from './learning_rate.js';

test.each<[string, LearningRateSchedule, readonly (readonly [step: number, rate: number])[]]>([
  [
    'constant',
    { kind: 'constant', rate: 0.1 },
    [
      [0, 0.1],
      [1e6, 0.1],
    ],
  ],
  [
    'constant after a warm-up',
    { kind: 'constant', rate: 0.1, warmupSteps: 4 },
    [
      [0, 0.025],
      [3, 0.1],
      [4, 0.1],
      [9, 0.1],
    ],
  ],
  [
    'linear',
    { kind: 'linear', rate: 1, finalRate: 0.2, steps: 4 },
    [
      [0, 1],
      [1, 0.8],
      [4, 0.2],
      [9, 0.2],
    ],
  ],
  [
    'cosine after a warm-up',
    { kind: 'cosine', rate: 1, steps: 4, warmupSteps: 2 },
    [
      [0, 0.5],
      [1, 1],
      [2, 1],
      [3, (1 + Math.SQRT1_2) / 2],
      [4, 0.5],
      [6, 0],
      [99, 0],
    ],
  ],
  [
    'exponential',
    { kind: 'exponential', rate: 1, factor: 0.25, everySteps: 2 },
    [
      [0, 1],
      [1, 0.5],
      [4, 1 / 16],
    ],
  ],
  [
    'exponential by a staircase',
    { kind: 'exponential', rate: 1, factor: 0.25, everySteps: 2, staircase: true },
    [
      [1, 1],
      [2, 0.25],
      [3, 0.25],
    ],
  ],
  [
    'piecewise',
    { kind: 'piecewise', rates: [3, 2, 1], boundaries: [2, 5] },
    [
      [0, 3],
      [1, 3],
      [2, 2],
      [4, 2],
      [5, 1],
      [99, 1],
    ],
  ],
  // 64^−½ = 1/8; rises by 4^−3⁄2 = 1/8 a step up to the fourth, then falls as s^−½.
  [
    'noam',
    { kind: 'noam', hiddenSize: 64, warmupSteps: 4 },
    [
      [0, 1 / 64],
      [3, 1 / 16],
      [15, 1 / 32],
    ],
  ],
])('%s has the rates of its formula', (_, schedule, rates) => {
  expect(scheduleFault(schedule)).toBeUndefined();
  for (const [step, rate] of rates) expect(learningRate(schedule, step)).toBeCloseTo(rate, 14);
});

test('a schedule that is found without fault gives a finite rate of 0 or more at every step', () => {
  const number = fc.oneof(
    fc.double(),
    fc.integer({ min: -2, max: 50 }),
    fc.double({ min: 0, max: 2, noNaN: true }),
  );
  const optional = fc.option(number, { nil: undefined });
  const schedules = fc.oneof(
    fc.record({ kind: fc.constant('constant'), rate: number, warmupSteps: optional }),
    fc.record({
      kind: fc.constantFrom('linear', 'cosine'),
      rate: number,
      finalRate: optional,
      steps: number,
      warmupSteps: optional,
    }),
    fc.record({ kind: fc.constant('exponential'), rate: number, factor: number, everySteps: number }),
    fc.record({
      kind: fc.constant('piecewise'),
      rates: fc.array(number, { maxLength: 3 }),
      boundaries: fc.array(number, { maxLength: 2 }),
      warmupSteps: optional,
    }),
    fc.record({ kind: fc.constant('noam'), hiddenSize: number, warmupSteps: number, scale: optional }),
  );
  fc.assert(
    fc.property(schedules, fc.nat({ max: 2 ** 31 - 1 }), (made, step) => {
      const given = Object.entries(made).filter(([, value]) => value !== undefined);
      const schedule = Object.fromEntries(given) as unknown as LearningRateSchedule;
      if (scheduleFault(schedule) !== undefined) return;
      const rate = learningRate(schedule, step);
      expect(Number.isFinite(rate)).toBe(true);
      expect(rate).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 1000 },
  );
});

test.each<[LearningRateSchedule, string]>([
  [{ kind: 'constant', rate: -1 }, 'rate is -1'],
  [{ kind: 'linear', rate: 1, steps: 0 }, 'steps is 0'],
  [{ kind: 'cosine', rate: 1, steps: 9, warmupSteps: 0.5 }, '0.5 warm-up steps'],
  [{ kind: 'piecewise', rates: [1], boundaries: [2] }, '1 rates for 1 boundaries'],
  [{ kind: 'piecewise', rates: [1, 2, 3], boundaries: [2, 2] }, 'must rise'],
  [{ kind: 'noam', hiddenSize: 64, warmupSteps: 0 }, 'noam without warm-up steps'],
])('%j is found at fault', (schedule, fault) => {
  expect(scheduleFault(schedule)).toContain(fault);
});
