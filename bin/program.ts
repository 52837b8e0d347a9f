/** The command line as a whole: its commands, and how errors end. */

import { Command, CommanderError } from 'commander';
import { packageVersion } from '../src/datagen/package_version.js';
import { UserError } from '../src/io/errors.js';
import { tell } from './terminal.js';

type AddCommand = (program: Command) => void;

const listing = async (): Promise<AddCommand> => (await import('./list_commands.js')).addListCommands;
const verifying = async (): Promise<AddCommand> => (await import('./verify_commands.js')).addVerifyCommands;

const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  list: listing,
  info: listing,
  download: async () => (await import('./download_command.js')).addDownloadCommand,
  datagen: async () => (await import('./datagen_command.js')).addDatagenCommand,
  verify: verifying,
  finish: verifying,
  inspect: async () => (await import('./inspect_command.js')).addInspectCommand,
  stats: async () => (await import('./stats_command.js')).addStatsCommand,
  card: async () => (await import('./card_command.js')).addCardCommand,
  convert: async () => (await import('./convert_command.js')).addConvertCommand,
  import: async () => (await import('./import_command.js')).addImportCommand,
  duplicates: async () => (await import('./duplicates_command.js')).addDuplicatesCommand,
  faces: async () => (await import('./faces_command.js')).addFacesCommand,
  train: async () => (await import('./train_command.js')).addTrainCommand,
  eval: async () => (await import('./eval_command.js')).addEvalCommand,
  forget: async () => (await import('./forget_command.js')).addForgetCommand,
};

/** Runs one command line and gives its exit code: 0, 1 for failure, 2 for misuse, 130 after Ctrl-C. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = new Command('t2t-ts')
    .description(
      'Obtains datasets and turns them into training examples: sharded TFRecords, resumable and checked.',
    )
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError('(t2t-ts COMMAND --help shows an example)');
  // Only the command that was asked for is loaded: image and network libraries take longer to load than `verify` to run.
  const asked = COMMANDS[argv.slice(2).find((word) => !word.startsWith('-')) ?? ''];
  for (const load of asked === undefined ? new Set(Object.values(COMMANDS)) : [asked])
    (await load())(program);
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync([...argv]);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    return exitCodeOf(error, argv.includes('--debug'));
  }
}

function exitCodeOf(error: unknown, isDebug: boolean): number {
  // commander has printed its own sentence by now.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isDebug) tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (error instanceof UserError) {
    if (!isDebug) tell(`t2t-ts: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof Error && error.name === 'AbortError') {
    tell('t2t-ts: stopped; the same command goes on where it stopped');
    return 130;
  }
  const fileFault = describeFileFault(error);
  if (fileFault !== undefined) {
    if (!isDebug) tell(`t2t-ts: ${fileFault}`);
    return 1;
  }
  if (!isDebug)
    tell(`t2t-ts: ${describe(error)} (this should not happen: --debug shows where; please report it)`);
  return 1;
}

const FILE_FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'the permission is missing: choose another folder or change its owner',
  EEXIST: 'a file stands where a folder is wanted: choose another folder',
  EISDIR: 'a folder stands where a file is wanted: give the path of a file',
  ENOENT: 'there is no such file or folder: check the path',
  ENOSPC: 'the disk is full: free some space and run the same command again',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another folder',
  EPERM: 'the operation is not permitted: choose another folder or change its owner',
  EROFS: 'the file system is read-only: choose another folder',
};

/** What the operating system said of a file, in a sentence. */
function describeFileFault(error: unknown): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  const sentence = FILE_FAULTS[code ?? ''];
  return sentence === undefined ? undefined : `${path ?? 'a file'}: ${sentence}`;
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] as string;
}
