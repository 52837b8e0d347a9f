/** The command line as a whole: its commands, and how errors end. */

import { Command, CommanderError } from 'commander';
import { softwareVersions } from '../src/datagen/versions.js';
import { UserError } from '../src/io/errors.js';
import '../src/problems/all.js';
import { addDatagenCommand } from './datagen_command.js';
import { addDownloadCommand } from './download_command.js';
import { addForgetCommand } from './forget_command.js';
import { addInspectCommand } from './inspect_command.js';
import { addListCommands } from './list_commands.js';
import { tell } from './terminal.js';
import { addVerifyCommands } from './verify_commands.js';

/** Runs one command line and gives its exit code: 0, 1 for failure, 2 for misuse, 130 after Ctrl-C. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = new Command('t2t-ts')
    .description(
      'Obtains datasets and turns them into training examples: sharded TFRecords, resumable and checked.',
    )
    .version(softwareVersions()['t2t-ts'])
    .showSuggestionAfterError()
    .showHelpAfterError('(t2t-ts COMMAND --help shows an example)');
  addListCommands(program);
  addDownloadCommand(program);
  addDatagenCommand(program);
  addVerifyCommands(program);
  addInspectCommand(program);
  addForgetCommand(program);
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
  if (!isDebug)
    tell(`t2t-ts: ${describe(error)} (this should not happen: --debug shows where; please report it)`);
  return 1;
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] as string;
}
