/** Learning-rate schedules: the rate of a step is a function of its number alone, so that a restart changes nothing. */

/** Plain data, kept in a run's config. Rates are absolute, steps counted from 0. */
export type LearningRateSchedule =
  | { readonly kind: 'constant'; readonly rate: number; readonly warmupSteps?: number }
  /** In a straight line from `rate` to `finalRate` at `steps`, then `finalRate`. */
  | {
      readonly kind: 'linear';
      readonly rate: number;
      readonly finalRate?: number;
      readonly steps: number;
      readonly warmupSteps?: number;
    }
  /** By half a cosine from `rate` to `finalRate` at `steps` (Loshchilov and Hutter, ICLR 2017), then `finalRate`. */
  | {
      readonly kind: 'cosine';
      readonly rate: number;
      readonly finalRate?: number;
      readonly steps: number;
      readonly warmupSteps?: number;
    }
  /** Times `factor` every `everySteps`, smoothly; with `staircase` at once. */
  | {
      readonly kind: 'exponential';
      readonly rate: number;
      readonly factor: number;
      readonly everySteps: number;
      readonly staircase?: true;
      readonly warmupSteps?: number;
    }
  /** `rates[i]` before `boundaries[i]`, the last rate from the last boundary on. */
  | {
      readonly kind: 'piecewise';
      readonly rates: readonly number[];
      readonly boundaries: readonly number[];
      readonly warmupSteps?: number;
    }
  /**
   * `scale` · hiddenSize^−½ · min(s^−½, s · warmupSteps^−3⁄2) with s the step from 1 (Vaswani et al., NeurIPS 2017, equation
   * 3; tensor2tensor's `noam`).
   */
  | {
      readonly kind: 'noam';
      readonly scale?: number;
      readonly hiddenSize: number;
      readonly warmupSteps: number;
    };

/**
 * The rate of a step, from 0 on. With `warmupSteps` n the first n steps rise in a straight line, (step + 1) ⁄ n of the rate
 * that the schedule begins with; its own steps are counted from there, as Goyal et al. (arXiv 1706.02677) warm up.
 */
export function learningRate(schedule: LearningRateSchedule, step: number): number {
  if (schedule.kind === 'noam') {
    const { scale = 1, hiddenSize, warmupSteps } = schedule;
    const count = step + 1;
    return (scale * Math.min(count ** -0.5, count * warmupSteps ** -1.5)) / Math.sqrt(hiddenSize);
  }
  const warmupSteps = schedule.warmupSteps ?? 0;
  return step < warmupSteps
    ? rateAfterWarmup(schedule, 0) * ((step + 1) / warmupSteps)
    : rateAfterWarmup(schedule, step - warmupSteps);
}

function rateAfterWarmup(
  schedule: Exclude<LearningRateSchedule, { readonly kind: 'noam' }>,
  step: number,
): number {
  switch (schedule.kind) {
    case 'constant':
      return schedule.rate;
    case 'linear': {
      const { rate, finalRate = 0, steps } = schedule;
      return finalRate + (rate - finalRate) * (1 - Math.min(step / steps, 1));
    }
    case 'cosine': {
      const { rate, finalRate = 0, steps } = schedule;
      return finalRate + (rate - finalRate) * (0.5 + Math.cos(Math.PI * Math.min(step / steps, 1)) / 2);
    }
    case 'exponential': {
      const { rate, factor, everySteps, staircase } = schedule;
      const times = step / everySteps;
      return rate * factor ** (staircase === true ? Math.floor(times) : times);
    }
    case 'piecewise': {
      const { rates, boundaries } = schedule;
      const passed = boundaries.filter((boundary) => step >= boundary).length;
      return rates[passed]!;
    }
  }
}

/**
 * What is wrong with a schedule that a person wrote, as a clause; undefined where nothing is. For a schedule that has gone
 * through it, `learningRate` gives a finite number of 0 or more at every step.
 */
export function scheduleFault(schedule: LearningRateSchedule): string | undefined {
  const { warmupSteps } = schedule;
  if (warmupSteps !== undefined && !(Number.isInteger(warmupSteps) && warmupSteps >= 0))
    return `${warmupSteps} warm-up steps, where a whole number of 0 or more is wanted`;
  for (const [name, value] of Object.entries(schedule)) {
    if (typeof value !== 'number' || name === 'warmupSteps') continue;
    const [least, most] = RANGES[name] ?? [0, Number.MAX_VALUE];
    if (!(value >= least && value <= most))
      return `${name} is ${value}, where a number ${most === 1 ? 'from 0 to 1' : `of ${least} or more`} is wanted`;
  }
  if (schedule.kind === 'noam' && schedule.warmupSteps === 0) return 'noam without warm-up steps';
  if (schedule.kind !== 'piecewise') return undefined;
  const { rates, boundaries } = schedule;
  if (rates.length !== boundaries.length + 1)
    return `${rates.length} rates for ${boundaries.length} boundaries, where one more than boundaries is wanted`;
  if (!rates.every((rate) => rate >= 0 && rate <= Number.MAX_VALUE)) return `rates are ${rates.join(', ')}`;
  const rises = boundaries.every((boundary, at) => boundary > (boundaries[at - 1] ?? 0));
  return rises ? undefined : `boundaries are ${boundaries.join(', ')}, where they must rise from above 0`;
}

/** Of rates and of the scale 0 and anything above. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  steps: [1, Number.MAX_VALUE],
  everySteps: [1, Number.MAX_VALUE],
  hiddenSize: [1, Number.MAX_VALUE],
  factor: [0, 1],
};
