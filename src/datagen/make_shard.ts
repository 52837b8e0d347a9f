/** Makes one shard: a pure function of the rows planned for it and the inputs obtained for them. */

import { closeSync, existsSync, openSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../io/content_store.js';
import { crc32c } from '../io/crc32c.js';
import { UserError } from '../io/errors.js';
import { createExampleEncoder } from '../io/example.js';
import type { ExampleValues, Features } from '../io/features.js';
import { sniffImageFormat } from '../io/image_format.js';
import { makeFolder } from '../io/make_folder.js';
import { formatIndex, RecordWriter } from '../io/tfrecord.js';
import type { Input, PlanRow, PreparedInput, Problem, RejectedRow } from '../problems/problem.js';
import { isRejection, type Rejection, type RejectionReason } from '../problems/rejection.js';
import { indexName, ledgerPath, shardName, syncFolder, temporaryPath, writeWhole } from './data_files.js';
import { type InputOutcome, outcomeToken } from './input_table.js';
import { type LedgerHead, type LedgerLine, writeLedger } from './ledger.js';
import { addCounts } from './manifest.js';
import { outcomeAt } from './outcome_columns.js';
import { planDigest, readPlanLines } from './plan_file.js';
import { damagedPack, unpacked } from './prepared_store.js';
import type { RejectionTally, ShardTask } from './worker_messages.js';

/** So many rejected examples of each reason keep their surviving pictures in a shard's ledger, for `inspect --html`. */
const SAMPLES_PER_REASON = 2;

/**
 * Writes `<shard>`, `<shard>.idx` and the ledger, in this order of final names: what has a ledger is whole.
 * @throws UserError where the Problem's example does not fit its features.
 */
export async function makeShard(
  problem: Problem,
  preparedFolder: string,
  task: ShardTask,
): Promise<LedgerHead> {
  const name = shardName(problem.name, task.split, task.index, task.of);
  const path = join(task.dataDir, name);
  makeFolder(task.dataDir);
  const temporary = temporaryPath(path);
  const encoder = createExampleEncoder(problem.features);
  const packs = new PackReader(preparedFolder);
  const digest = planDigest();
  const rows: (PlanRow | RejectedRow)[] = [];
  readPlanLines(task.planPath, task.lines, (line) => {
    digest.add(line);
    rows.push(JSON.parse(line.toString('utf8')) as PlanRow | RejectedRow);
  });

  const writer = RecordWriter.create(temporary);
  const ledger: LedgerLine[] = [];
  const tally: RejectionTally = {};
  const refuse = (row: PlanRow, rejection: Rejection, more: Partial<LedgerLine> = {}): void => {
    tally[rejection.rejected] = (tally[rejection.rejected] ?? 0) + 1;
    const detail = rejection.detail === undefined ? {} : { detail: rejection.detail };
    ledger.push({ key: row.key, ...more, rejected: rejection.rejected, ...detail });
  };
  try {
    for (const [position, row] of rows.entries()) {
      if ('rejected' in row) {
        refuse(row, row);
        continue;
      }
      const outcomes = outcomesOf(task, position);
      const inputs = problem.inputs(row);
      const tokens = outcomes.map(outcomeToken);
      const failed = outcomes.findIndex((outcome) => !outcome.ok);
      if (failed >= 0) {
        const rejection = inputRejection(outcomes[failed] as InputOutcome, inputs, failed);
        const isSample = (tally[rejection.rejected] ?? 0) < SAMPLES_PER_REASON;
        const sample = isSample ? { sample: surviving(packs, inputs, outcomes) } : {};
        refuse(row, rejection, { inputs: tokens, ...sample });
        continue;
      }
      const example = await problem.example(row as never, prepared(packs, inputs, outcomes));
      if (isRejection(example)) {
        refuse(row, example, { inputs: tokens });
        continue;
      }
      try {
        writer.writeExample(encoder, example as ExampleValues<Features>);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const where = `example ${row.key} of ${problem.name}`;
        throw new UserError(error.message, { where, remedy: 'mend example() or features in the Problem' });
      }
      ledger.push({ key: row.key, ...(tokens.length > 0 ? { inputs: tokens } : {}) });
    }
    const { records, bytes, sha256, index } = writer.finish();
    const indexText = formatIndex(index);
    writeWhole(join(task.dataDir, indexName(name)), indexText);
    renameSync(temporary, path);
    syncFolder(task.dataDir);
    const head: LedgerHead = {
      shard: name,
      index: task.index,
      of: task.of,
      settings: task.settings,
      plan: digest.hex(),
      planned: rows.length,
      written: records,
      rejected: addCounts([tally]),
      bytes,
      sha256,
      indexSha256: contentHash(Buffer.from(indexText)),
    };
    const ledgerFile = ledgerPath(task.dataDir, problem.name, task.split, task.index, task.of);
    writeLedger(ledgerFile, head, ledger);
    return head;
  } catch (error) {
    writer.abort();
    throw error;
  } finally {
    packs.close();
  }
}

function outcomesOf(task: ShardTask, position: number): InputOutcome[] {
  const outcomes: InputOutcome[] = [];
  const end = task.inputStarts[position + 1] as number;
  for (let slot = task.inputStarts[position] as number; slot < end; slot++)
    outcomes.push(outcomeAt(task.inputs, task.slots[slot] as number));
  return outcomes;
}

function inputRejection(outcome: InputOutcome, inputs: readonly Input[], failed: number): Rejection {
  const { reason, detail } = outcome as { reason: RejectionReason; detail: string };
  return { rejected: reason, detail: `input ${failed + 1}, ${inputs[failed]?.url}: ${detail}` };
}

function prepared(
  packs: PackReader,
  inputs: readonly Input[],
  outcomes: readonly InputOutcome[],
): PreparedInput[] {
  return outcomes.map((outcome, i) => {
    if (!outcome.ok) throw new Error('an input that failed was taken for prepared');
    return { input: inputs[i] as Input, ...packs.read(outcome), contentSha256: outcome.content };
  });
}

function surviving(packs: PackReader, inputs: readonly Input[], outcomes: readonly InputOutcome[]) {
  return outcomes.map((outcome, i) => {
    const url = inputs[i]?.url ?? '';
    if (!outcome.ok) return { url };
    const { bytes } = packs.read(outcome);
    // Prepared windows of recordings are no pictures, and large.
    return sniffImageFormat(bytes) === 'jpeg'
      ? { url, jpeg: Buffer.from(bytes).toString('base64') }
      : { url };
  });
}

/** Reads prepared bytes and checks them. Keeps the packs open while a shard is made. */
class PackReader {
  private readonly folder: string;
  private readonly files = new Map<string, number>();

  constructor(folder: string) {
    this.folder = folder;
  }

  read(outcome: InputOutcome & { ok: true }): ReturnType<typeof unpacked> {
    let file = this.files.get(outcome.pack);
    const path = join(this.folder, outcome.pack);
    if (file === undefined) {
      if (!existsSync(path)) throw damagedPack(path);
      file = openSync(path, 'r');
      this.files.set(outcome.pack, file);
    }
    const bytes = new Uint8Array(outcome.length);
    const read = readSync(file, bytes, 0, outcome.length, outcome.offset);
    if (read !== outcome.length || crc32c(bytes) !== outcome.crc) throw damagedPack(path);
    return unpacked(bytes);
  }

  close(): void {
    for (const file of this.files.values()) closeSync(file);
    this.files.clear();
  }
}
