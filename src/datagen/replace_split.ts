/** Guards a split that is already in the data folder: it is continued, or replaced on purpose, never by accident. */

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../io/errors.js';
import type { Split } from '../problems/problem.js';
import { ledgerFolder, manifestPath, parseShardName } from './data_files.js';
import type { GenerateOptions } from './generate.js';
import { readLedgerHead } from './ledger.js';
import type { SplitPlan } from './split_plan.js';

/**
 * Looks for shards of this split that were made with other settings or from other rows; removes them with `overwrite`.
 * @throws UserError where there are such shards and `overwrite` was not asked for.
 */
export function refuseOtherSplit(split: SplitPlan, options: GenerateOptions): void {
  const { problem, split: name } = split.settings;
  const folder = ledgerFolder(options.dataDir, problem, name);
  if (!existsSync(folder)) return;
  const planOf = new Map(split.shards.map((shard) => [shard.index, shard.plan]));
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.jsonl') || file.startsWith('.')) continue;
    const head = readLedgerHead(join(folder, file));
    if (head === undefined) continue;
    const otherRows = planOf.has(head.index) && planOf.get(head.index) !== head.plan;
    if (head.settings === split.settingsDigest && !otherRows) continue;
    if (options.overwrite !== true)
      throw new UserError(
        `the ${name} split of ${problem} in the data folder was made ${
          head.settings === split.settingsDigest ? 'from other rows' : 'with other settings'
        }`,
        {
          where: manifestPath(options.dataDir, problem, name),
          remedy:
            'repeat the settings that its manifest shows, give another --data-dir, or --overwrite to replace it',
          exitCode: 2,
        },
      );
    for (const shard of split.shards) {
      shard.head = undefined;
      shard.wasFinished = false;
    }
    if (options.dryRun !== true) removeSplit(options.dataDir, problem, name);
    return;
  }
}

/** Removes the files of a split; its ledgers late, since they tell the next run, after a kill, that it is not gone. */
export function removeSplit(dataDir: string, problem: string, split: Split): void {
  for (const file of readdirSync(dataDir)) {
    const shard = parseShardName(file.replace(/\.idx$/, ''));
    if (shard?.problem === problem && shard.split === split) rmSync(join(dataDir, file), { force: true });
  }
  rmSync(ledgerFolder(dataDir, problem, split), { recursive: true, force: true });
  rmSync(manifestPath(dataDir, problem, split), { force: true });
}
