import { execFile } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderPhotograph } from '../../fixtures/face_drawing.js';
import { type FaultServer, startFaultServer } from '../../fixtures/fault_server.js';

/** What CONTRIBUTING.md tells a newcomer to write and to type is written and typed here, in a copy of the project. */
const project = projectFolder();
const clone = mkdtempSync(join(tmpdir(), 't2t-newcomer-'));
let server: FaultServer;

beforeAll(async () => {
  const files = new Map<string, Uint8Array>();
  for (let i = 1; i <= 8; i++) {
    const faces = [
      { identity: `p${i}`, expression: 'smile' as const, centreX: 0.5, centreY: 0.5, height: 0.6 },
    ];
    const { jpeg } = await renderPhotograph({ seed: `newcomer ${i}`, width: 320, height: 240, faces });
    files.set(`http://photos.example/${i}.jpg`, jpeg);
  }
  server = await startFaultServer({ files });
});
afterAll(async () => {
  await server.close();
  rmSync(clone, { recursive: true, force: true });
});

test('the worked example of CONTRIBUTING.md builds, runs and ends as the page says', async () => {
  for (const name of ['bin', 'src', 'fixtures', 'bench', 'package.json', 'tsconfig.json'])
    cpSync(join(project, name), join(clone, name), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'));

  const page = readFileSync(join(project, 'CONTRIBUTING.md'), 'utf8');
  const blocks = [...page.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(
    ([, language, place, text]) => ({
      language,
      place: (place as string).trim(),
      text: text as string,
    }),
  );
  for (const { place, text } of blocks) {
    if (place === '') continue;
    const isAppended = place.startsWith('append ');
    const path = join(clone, place.replace('append ', ''));
    expect(existsSync(path), `${place} must ${isAppended ? '' : 'not '}be there already`).toBe(isAppended);
    mkdirSync(dirname(path), { recursive: true });
    if (isAppended) appendFileSync(path, text);
    else writeFileSync(path, text);
  }

  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'));
  const outputs: string[] = [];
  for (const command of commands) outputs.push(await run(command));
  expect(outputs.length).toBe(6);
  const table = outputs[3] as string;
  expect(table).toMatch(/^train +4 +2 +2 /m);
  expect(table).toMatch(/dead-url 1/);
  expect(table).toMatch(/malformed-row 1/);
  expect(table).toMatch(/^test +1 +1 +0 /m);
  expect(outputs[4]).toMatch(/verified: 3 records/);
  expect(readFileSync(join(clone, 'out/smiles.html'), 'utf8')).toContain('odd one out');
}, 180_000);

/** Photographs of the example's host come from loopback; everything else is typed as the page says. */
async function run(command: string): Promise<string> {
  const words = command.includes(' datagen ')
    ? `${command} --connect-to photos.example=127.0.0.1:${server.port}`
    : command;
  // What npm tells its scripts must not reach the newcomer's own npm.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
  const options = { cwd: clone, env, encoding: 'utf8', timeout: 120_000 } as const;
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', words], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${words}\n${stdout}\n${stderr}`, { cause: error }));
    });
  });
}

function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'CONTRIBUTING.md'))) folder = dirname(folder);
  return folder;
}
