import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { UserError } from './errors.js';
import { RecordError } from './tfrecord_reader.js';
import { errorOf, failureOf, inheritedFlags } from './worker_thread.js';

test('an error comes back with its parts and the stack of its thread', () => {
  const error = new UserError('it is wrong', { where: 'here', remedy: 'mend it' });
  const back = errorOf(structuredClone(failureOf(error)));
  expect(back).toMatchObject({ what: 'it is wrong', where: 'here', remedy: 'mend it' });
  expect(back.stack).toBe(error.stack);
  expect(errorOf(failureOf('a word')).message).toBe('a word');
});

test('a damaged record comes back as such', () => {
  const error = new RecordError('data-crc', 'it is damaged', { file: 'a.tfrecord', record: 3, offset: 70 });
  const back = errorOf(structuredClone(failureOf(error)));
  expect(back).toBeInstanceOf(RecordError);
  expect(back).toMatchObject({ fault: 'data-crc', file: 'a.tfrecord', record: 3, offset: 70 });
  expect(back.message).toBe(error.message);
});

/** Starts Node with flags and a program text that starts a thread over a file; gives what the thread said. */
function threadUnder(flags: readonly string[]): string {
  const program = `
    const { Worker } = await import('node:worker_threads');
    const { inheritedFlags } = await import(${JSON.stringify(new URL('./worker_thread.js', import.meta.url).href)});
    const file = new URL('data:text/javascript,' + encodeURIComponent(
      "import { parentPort } from 'node:worker_threads'; parentPort.postMessage(String(globalThis.marked))"));
    const worker = new Worker(file, inheritedFlags(process.execArgv));
    worker.on('message', (said) => console.log(said));`;
  return execFileSync(process.execPath, [...flags, '-e', program], { encoding: 'utf8' }).trim();
}

test('a thread starts under flags about the whole process, and under a program text with its modules', () => {
  const marks = `data:text/javascript,${encodeURIComponent('globalThis.marked = 1')}`;
  expect(threadUnder(['--max-old-space-size=2000', '--input-type=module'])).toBe('undefined');
  expect(threadUnder(['--input-type=module', '--import', marks])).toBe('1');
  expect(inheritedFlags(['--max-old-space-size=2000', '--import', 'a'])).toEqual({});
  expect(inheritedFlags(['--input-type=module', '-e', 'x', '--import=a', '-r', 'b'])).toEqual({
    execArgv: ['--import=a', '-r', 'b'],
  });
});
