/** One run of `bench sampling`, in a process of its own so that its peak of memory is the plan's. Prints a SamplingRun. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniformPValue } from '../fixtures/chi_squared.js';
import { InputTable } from '../src/datagen/input_table.js';
import { planSplit } from '../src/datagen/split_plan.js';
import { VggFace2 } from '../src/problems/vggface2.js';
import { madeUpSource, type SamplingRun } from './sampling_run.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-bench-sampling-'));
try {
  const startMs = performance.now();
  const problem = new VggFace2();
  const source = madeUpSource();
  const table = new InputTable();
  const digest = createHash('sha256');
  let planned = 0;
  for (const split of problem.splits) {
    const plan = await planSplit({
      problem,
      source,
      split,
      seed: 0,
      folder,
      dataDir: folder,
      table,
      onNote: (text) => process.stderr.write(`${text}\n`),
    });
    planned += plan.file.planned;
    for (const shard of plan.shards) digest.update(shard.plan);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage();
  // KiB on Linux, bytes on macOS.
  const peakMiB = process.resourceUsage().maxRSS / (process.platform === 'darwin' ? 1024 * 1024 : 1024);
  const result: SamplingRun = {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB,
    digest: digest.digest('hex'),
    planned,
    inputs: table.size,
    ...evenness(join(folder, 'train.jsonl')),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Counted from the plan's own lines: `"key":"n000002/0001_01+0005_01-n000003/0002_01"`. */
function evenness(plan: string): Pick<SamplingRun, 'anchorsPValue' | 'othersPValue'> {
  const anchors = new Map<string, number>();
  const others = new Map<string, number>();
  const keys = /^\{"key":"(n\d+)\/[^-]*-(n\d+)\//gm;
  for (const [, anchor = '', other = ''] of readFileSync(plan, 'latin1').matchAll(keys)) {
    anchors.set(anchor, (anchors.get(anchor) ?? 0) + 1);
    others.set(other, (others.get(other) ?? 0) + 1);
  }
  return {
    anchorsPValue: uniformPValue([...anchors.values()]),
    othersPValue: uniformPValue([...others.values()]),
  };
}
