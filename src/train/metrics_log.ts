/** `metrics.jsonl` of a run: a line a step and a line an evaluation, the same whether the run was killed or not. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../datagen/data_files.js';

export interface StepLine {
  readonly step: number;
  readonly loss: number;
  readonly learning_rate: number;
  /** Before clipping. */
  readonly gradient_norm: number;
}

export interface DevLine {
  readonly step: number;
  readonly dev: Readonly<Record<string, number | null>>;
}

export type MetricsLine = StepLine | DevLine;

/** What is added stands in memory until `flush`, which comes before each checkpoint: none of its steps is then missing. */
export class MetricsLog {
  readonly #path: string;
  #waiting = '';

  /** Goes on after `step`: what a run that was killed wrote of later steps is removed, since they come again. */
  constructor(outputDir: string, step: number) {
    this.#path = metricsPath(outputDir);
    const kept = readMetrics(outputDir).filter((line) => line.step <= step);
    writeWhole(this.#path, kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  add(line: MetricsLine): void {
    this.#waiting += `${JSON.stringify(line)}\n`;
  }

  flush(): void {
    if (this.#waiting === '') return;
    appendFileSync(this.#path, this.#waiting);
    this.#waiting = '';
  }
}

/** The lines of a run; a last one that a kill cut off is left out. Empty where there are none. */
export function readMetrics(outputDir: string): MetricsLine[] {
  const path = metricsPath(outputDir);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MetricsLine);
}

function metricsPath(outputDir: string): string {
  return join(outputDir, 'metrics.jsonl');
}
