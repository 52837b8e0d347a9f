/** Options of the commands that fetch: folders, licence, hosts, and what to ask for again. */

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TUNING_NAMES, tuningOf } from '../src/datagen/fetch_options.js';
import type { RawDataOptions } from '../src/datagen/raw_data.js';
import type { Licence } from '../src/datasets/dataset.js';
import { FETCH_FAILURE_KINDS, type FetchFailureKind } from '../src/io/fetch_outcome.js';
import { didYouMean } from '../src/problems/nearest.js';
import { addImportOption, type OutputOptions } from './options.js';
import { ask } from './terminal.js';

export interface RawOptions extends OutputOptions {
  readonly tmpDir: string;
  readonly manualDir?: string;
  readonly mirror?: string;
  readonly acceptLicence?: boolean;
  readonly allowPrivateHosts?: boolean;
  readonly connectTo: Readonly<Record<string, string>>;
  readonly fetch: Readonly<Record<string, number>>;
  readonly retry?: readonly FetchFailureKind[];
  readonly import: readonly string[];
}

/** Options of the commands that fetch. */
export function addRawOptions(command: Command): Command {
  return addImportOption(command)
    .addOption(
      new Option('--tmp-dir <dir>', 'raw data and journals').env('T2T_TMP_DIR').default('t2t-out/tmp'),
    )
    .option('--manual-dir <dir>', 'a folder with files that you obtained yourself')
    .option('--mirror <url>', 'another address of the publisher’s files, where the dataset can use one')
    .option('--accept-licence', 'say that you have read the terms and agree')
    .option('--allow-private-hosts', 'let addresses lead into private, loopback and link-local networks')
    .option(
      '--connect-to <host=address:port>',
      'ask this address for a host’s files, as a mirror would (repeatable)',
      readConnectTo,
      {},
    )
    .option(
      '--fetch <name=value>',
      `tune how hosts are asked (repeatable): ${TUNING_NAMES.join(', ')}`,
      readTuning,
      {},
    )
    .option(
      '--retry <kinds>',
      `ask again for what failed before, also in finished shards: ${FETCH_FAILURE_KINDS.filter((kind) => kind !== 'struck').join(', ')} or all`,
      readRetry,
    );
}

/** What the engine gets of the raw options, with a question on the terminal where the licence needs an answer. */
export function rawDataOptions(options: RawOptions): Omit<RawDataOptions, 'onEvent'> {
  const question = (dataset: string, licence: Licence): Promise<boolean> =>
    ask(`Do you agree to the terms of ${dataset} (${licence.url})?`);
  return {
    tmpDir: resolve(options.tmpDir),
    ...(options.manualDir === undefined ? {} : { manualDir: resolve(options.manualDir) }),
    ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
    acceptLicence: options.acceptLicence === true ? true : question,
    allowPrivateHosts: options.allowPrivateHosts ?? false,
    connectTo: options.connectTo,
    fetch: tuningOf(options.fetch),
  };
}

function readRetry(text: string): FetchFailureKind[] {
  const retryable = FETCH_FAILURE_KINDS.filter((kind) => kind !== 'struck');
  if (text === 'all') return retryable;
  return text.split(',').map((name) => {
    const kind = retryable.find((known) => known === name.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`A kind is one of ${retryable.join(', ')}, or all.`);
    return kind;
  });
}

function readTuning(text: string, all: Readonly<Record<string, number>>): Record<string, number> {
  const [name = '', value = ''] = text.split('=');
  if (!TUNING_NAMES.includes(name))
    throw new InvalidArgumentError(`No setting has that name: ${didYouMean(name, TUNING_NAMES)}.`);
  if (!(Number(value) > 0)) throw new InvalidArgumentError(`${name} is a number above 0.`);
  return { ...all, [name]: Number(value) };
}

function readConnectTo(text: string, all: Readonly<Record<string, string>>): Record<string, string> {
  const match = /^([^=\s]+)=([^=\s]+:\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Write it HOST=ADDRESS:PORT.');
  return { ...all, [match[1] as string]: match[2] as string };
}
