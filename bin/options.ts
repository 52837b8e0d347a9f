/** Options that several commands share, and how their values are read. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TUNING_NAMES, tuningOf } from '../src/datagen/fetch_options.js';
import type { RawDataOptions } from '../src/datagen/raw_data.js';
import type { Licence } from '../src/datasets/dataset.js';
import { UserError } from '../src/io/errors.js';
import { FETCH_FAILURE_KINDS, type FetchFailureKind } from '../src/io/fetch_outcome.js';
import { nearest } from '../src/problems/nearest.js';
import { SPLITS, type Split } from '../src/problems/problem.js';
import { ask } from './terminal.js';

export interface OutputOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
}

export interface RawOptions extends OutputOptions {
  readonly tmpDir: string;
  readonly manualDir?: string;
  readonly acceptLicence?: boolean;
  readonly allowPrivateHosts?: boolean;
  readonly connectTo: Readonly<Record<string, string>>;
  readonly fetch: Readonly<Record<string, number>>;
  readonly retry?: readonly FetchFailureKind[];
  readonly import: readonly string[];
}

/** `--json` and `--debug`, which every command has. */
export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'end standard output with one JSON object')
    .option('--debug', 'show where an error comes from');
}

/** Options of the commands that fetch. */
export function addRawOptions(command: Command): Command {
  return addImportOption(command)
    .addOption(
      new Option('--tmp-dir <dir>', 'raw data and journals').env('T2T_TMP_DIR').default('t2t-out/tmp'),
    )
    .option('--manual-dir <dir>', 'a folder with files that you obtained yourself')
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
      `ask again for what failed before, also in finished shards: ${FETCH_FAILURE_KINDS.join(', ')} or all`,
      readRetry,
    );
}

/** `--import`, for commands that name Problems. */
export function addImportOption(command: Command): Command {
  return command.option(
    '--import <module>',
    'a module that registers Problems of yours (repeatable)',
    (value: string, all: readonly string[]) => [...all, value],
    [] as readonly string[],
  );
}

export function dataDirOption(): Option {
  return new Option('--data-dir <dir>', 'where the shards go').env('T2T_DATA_DIR').default('t2t-out/data');
}

/** What the engine gets of the raw options, with a question on the terminal where the licence needs an answer. */
export function rawDataOptions(options: RawOptions): Omit<RawDataOptions, 'onEvent'> {
  const question = (dataset: string, licence: Licence): Promise<boolean> =>
    ask(`Do you agree to the terms of ${dataset} (${licence.url})?`);
  return {
    tmpDir: resolve(options.tmpDir),
    ...(options.manualDir === undefined ? {} : { manualDir: resolve(options.manualDir) }),
    acceptLicence: options.acceptLicence === true ? true : question,
    allowPrivateHosts: options.allowPrivateHosts ?? false,
    connectTo: options.connectTo,
    fetch: tuningOf(options.fetch),
  };
}

/** Imports the modules of `--import`; gives their URLs, which workers import too. */
export async function importModules(modules: readonly string[]): Promise<string[]> {
  const urls: string[] = [];
  for (const module of modules) {
    const path = resolve(module);
    if (!existsSync(path))
      throw new UserError('--import names no file', {
        where: path,
        remedy: 'give a built .js file',
        exitCode: 2,
      });
    const url = pathToFileURL(path).href;
    await import(url);
    urls.push(url);
  }
  return urls;
}

export function readWhole(name: string, least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`${name} is a whole number of at least ${least}.`);
    return value;
  };
}

export function readSplits(text: string): Split[] {
  return text.split(',').map((name) => {
    const split = SPLITS.find((known) => known === name.trim());
    if (split === undefined) throw new InvalidArgumentError(`A split is one of ${SPLITS.join(', ')}.`);
    return split;
  });
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
    throw new InvalidArgumentError(`Did you mean ${nearest(name, TUNING_NAMES).join(' or ')}?`);
  if (!(Number(value) > 0)) throw new InvalidArgumentError(`${name} is a number above 0.`);
  return { ...all, [name]: Number(value) };
}

function readConnectTo(text: string, all: Readonly<Record<string, string>>): Record<string, string> {
  const match = /^([^=\s]+)=([^=\s]+:\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Write it HOST=ADDRESS:PORT.');
  return { ...all, [match[1] as string]: match[2] as string };
}
