import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MetricsLog, readMetrics } from './metrics_log.js';
import { testFolder } from './small_run.test.helper.js';

const line = (step: number) => ({ step, loss: 1 / 3, learning_rate: 0.1, gradient_norm: step });

test('a run that goes on forgets what came after its checkpoint, and a line that a kill cut off', () => {
  const folder = testFolder();
  const log = new MetricsLog(folder, 0);
  for (const step of [1, 2, 3]) log.add(line(step));
  log.add({ step: 3, dev: { triplet_accuracy: 0.5, loss: null } });
  expect(readMetrics(folder)).toEqual([]);
  log.flush();
  appendFileSync(join(folder, 'metrics.jsonl'), '{"step":4,"lo');
  expect(readMetrics(folder).map(({ step }) => step)).toEqual([1, 2, 3, 3]);

  const again = new MetricsLog(folder, 2);
  again.add(line(3));
  again.flush();
  expect(readMetrics(folder)).toEqual([line(1), line(2), line(3)]);
  expect(readFileSync(join(folder, 'metrics.jsonl'), 'utf8').split('\n').length).toBe(4);
});
