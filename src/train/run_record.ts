/** What a run writes down step by step: `metrics.jsonl` for programs, event files for TensorBoard. */

import { EventWriter } from '../io/tensorboard_events.js';
import {
  hparamsEndSummary,
  hparamsExperimentSummary,
  hparamsStartSummary,
  scalarSummary,
} from '../io/tensorboard_summaries.js';
import type { DevScore } from './dev_score.js';
import { MetricsLog, type StepLine } from './metrics_log.js';
import type { RunConfig } from './run_folder.js';

/** Both are flushed together before a checkpoint: a run that goes on from it finds all up to its step. */
export class RunRecord {
  /** On the clock of `performance.now`. */
  readonly startedMs = performance.now();
  readonly #log: MetricsLog;
  readonly #events: EventWriter;
  #status: 'success' | 'failure' = 'failure';

  /** @param step done already: what is written of later ones is of a process that was killed, and is forgotten. */
  constructor(outputDir: string, { settings }: RunConfig, step: number) {
    this.#log = new MetricsLog(outputDir, step);
    this.#events = new EventWriter(outputDir, step === 0 ? {} : { resumedAt: step + 1 });
    if (step > 0) return;
    const { problem, model, seed, hparams } = settings;
    const values = { problem: problem.name, model, seed, ...hparams };
    const seconds = Date.now() / 1000;
    const metrics = ['loss/train', 'loss/dev', 'score/dev'];
    this.#events.add(
      0,
      hparamsExperimentSummary({ hparams: values, metrics, createdSeconds: seconds }),
      hparamsStartSummary({ hparams: values, startedSeconds: seconds }),
    );
  }

  step(line: StepLine): void {
    this.#log.add(line);
    this.#events.add(
      line.step,
      scalarSummary('loss/train', line.loss),
      scalarSummary('train/learning_rate', line.learning_rate),
      scalarSummary('train/gradient_norm', line.gradient_norm),
    );
  }

  dev(step: number, { metric, score, loss }: DevScore): void {
    this.#log.add({ step, dev: { [metric]: score, loss } });
    this.#events.add(step, scalarSummary('score/dev', score), scalarSummary(`dev/${metric}`, score));
    if (loss !== null) this.#events.add(step, scalarSummary('loss/dev', loss));
  }

  flush(): void {
    this.#log.flush();
    this.#events.flush();
  }

  /** Says that the run came to its end. */
  succeed(): void {
    this.#status = 'success';
  }

  close(): void {
    this.#log.flush();
    this.#events.add(0, hparamsEndSummary({ status: this.#status, endedSeconds: Date.now() / 1000 }));
    this.#events.close();
  }
}
