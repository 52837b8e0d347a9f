/** Options that several commands share, and how their values are read. Nothing heavy is loaded here. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../src/io/errors.js';
import { SPLITS, type Split } from '../src/problems/problem.js';

export interface OutputOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** `--json` and `--debug`, which every command has. */
export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'end standard output with one JSON object')
    .option('--debug', 'show where an error comes from');
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

/** Names of splits with commas between, each once. */
export function readSplits(text: string): Split[] {
  const splits = text.split(',').map((name) => {
    const split = SPLITS.find((known) => known === name.trim());
    if (split === undefined) throw new InvalidArgumentError(`A split is one of ${SPLITS.join(', ')}.`);
    return split;
  });
  return [...new Set(splits)];
}
