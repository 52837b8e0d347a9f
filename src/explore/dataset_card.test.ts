import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf } from '../../fixtures/run_cli.js';
import { writeSmallSplit } from '../../fixtures/small_split.js';
import { ledgerPath } from '../datagen/data_files.js';
import { generateData } from '../datagen/generate.js';
import { writeLedger } from '../datagen/ledger.js';
import { writeManifest } from '../datagen/manifest.js';
import { float32, image, int64, text } from '../io/features.js';
import '../problems/all.js';
import { withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { writeCard } from './dataset_card.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-card-'));
const dataDir = join(folder, 'data');
let pictures: Uint8Array[] = [];
beforeAll(async () => {
  await generateData(withOptions(problem('fec_tiny'), { find_face: false }), {
    dataDir,
    tmpDir: join(folder, 'tmp'),
  });
  await writeCard(dataDir);
  const card = join(dataDir, 'card');
  pictures = readdirSync(card).flatMap((name) =>
    name.endsWith('.jpeg') ? [readFileSync(join(card, name))] : [],
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readme = (dir = dataDir): string => readFileSync(join(dir, 'README.md'), 'utf8');

test('a card begins with the metadata that the Hub reads', () => {
  const [, yaml] = /^---\n([\s\S]*?)\n---\n/.exec(readme()) ?? [];
  expect(yaml?.split('\n')).toEqual([
    'pretty_name: "A tiny made-up FEC"',
    'license: cc0-1.0',
    'task_categories:',
    '- image-feature-extraction',
    'size_categories:',
    '- n<1K',
    'tags:',
    '- tfrecord',
    '- faces',
    'viewer: false',
  ]);
});

test('a card tells counts by split and class, rejections, leakage, settings, features and how to load', () => {
  const card = readme();
  for (const line of [
    '| train | 139 | 120 | 19 | 3 | ',
    '| `triplet_code` | train | dev | test |',
    '| `in-dev-split` | 19 | 0 | 0 | The row has images on both sides of the cut between train and dev. |',
    '| a photograph or recording in both | 0 | 0 | 0 |',
    '| a person in both | not known | not known | not known |',
    '| option min_agreement | `4` |',
    '| seed | `0` |',
    'def tfds_dataset(split="train"):',
    'def torch_loader(',
    'withOptions(problem(\'fec_tiny\'), {"find_face":false})',
    '@misc{fec_tiny,',
  ])
    expect(card).toContain(line);
  expect(card).not.toContain('Do not publish');
});

test('every picture that a card shows is there', () => {
  const shown = [...readme().matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, file]) => file as string);
  expect(shown.length).toBe(4 * 3);
  for (const file of shown) expect(existsSync(join(dataDir, file)), file).toBe(true);
  expect(readme()).toContain('(odd one out)');
});

test('windows of EEG are drawn, a file each', async () => {
  const dir = mkdtempSync(join(folder, 'eeg-'));
  const example = (key: string) => ({
    key,
    'eeg/raw': Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
    'eeg/channels': ['Cz', 'Pz'],
    'eeg/sampling_rate': 16,
    label: 'left & right',
  });
  writeSmallSplit(dir, {
    problem: 'small_eeg',
    split: 'train',
    features: {
      key: text(),
      'eeg/raw': float32([2, 32]),
      'eeg/channels': text([2]),
      'eeg/sampling_rate': float32(),
      label: text(),
    },
    examples: ['a', 'b', 'c'].map(example),
  });
  await writeCard(dir);
  expect(readme(dir)).toContain('![eeg/raw of b](card/small_eeg-2-eeg-raw.svg)');
  expect(readme(dir)).toContain('| left & right | 3 |');
  expect(readdirSync(join(dir, 'card')).filter((name) => name.endsWith('.svg'))).toHaveLength(2);
  const drawing = readFileSync(join(dir, 'card/small_eeg-1-eeg-raw.svg'), 'utf8');
  expect(drawing).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="570" height="\d+"/);
  expect(drawing).toContain('<title>eeg/raw: 2 channels; left &#38; right</title>');
});

test('the program of a card gives every example, of a Problem that is registered and of one that is not', async () => {
  const closed = closedFolder();
  await writeCard(closed);
  for (const [dir, records] of [
    [dataDir, 120],
    [closed, 3],
  ] as const) {
    const program = /```ts\n([\s\S]*?)```/.exec(readme(dir))?.[1] ?? '';
    const library = new URL('../index.js', import.meta.url).href;
    const counting = program
      .replace("'t2t-ts'", `'${library}'`)
      .replace(/console\.log\(.*\);/, "console.log('one');");
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', counting], {
      cwd: dir,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toBe('one\n'.repeat(records));
  }
});

test('a second card is the same to the byte, and nothing is written', async () => {
  const cardFiles = (): [string, Buffer][] =>
    [...filesOf(dataDir)].filter(([name]) => name === 'README.md' || name.startsWith('card'));
  const before = cardFiles();
  for (const [name] of before) utimesSync(join(dataDir, name), 1, 1);
  expect(await writeCard(dataDir)).toEqual({
    written: join(dataDir, 'README.md'),
    problems: ['fec_tiny'],
  });
  expect(cardFiles()).toEqual(before);
  for (const [name] of before) expect(statSync(join(dataDir, name)).mtimeMs, name).toBe(1000);
});

test('a README.md of somebody else is left alone', async () => {
  const dir = closedFolder();
  writeFileSync(join(dir, 'README.md'), '# mine\n');
  expect(await writeCard(dir)).toEqual({ kept: join(dir, 'README.md') });
  expect(readme(dir)).toBe('# mine\n');
});

function closedFolder(): string {
  const dir = mkdtempSync(join(folder, 'closed-'));
  for (const [split, first] of [
    ['train', 0],
    ['test', 2],
  ] as const)
    writeSmallSplit(dir, {
      problem: 'closed',
      split,
      features: { key: text(), image: image(), 'image/identity': text(), targets: int64() },
      examples: [0, 1, 2].map((i) => ({
        key: `${split} ${i}`,
        image: pictures[i]!,
        'image/identity': `person ${first + i}`,
        targets: i % 2,
      })),
      dataset: {
        title: 'Faces | <b>of people</b>',
        citation: 'Somebody 2020',
        licence: { name: 'Terms of somebody', url: 'https://example.org/terms' },
      },
      notes: ['a note with | and <i>tags</i>'],
    });
  return dir;
}

test('where a licence is not known to allow it, the card says so first and shows nobody', async () => {
  const dir = closedFolder();
  await writeCard(dir);
  const card = readme(dir);
  expect(card).toContain(
    'license: other\nlicense_name: terms-of-somebody\nlicense_link: "https://example.org/terms"',
  );
  expect(card.indexOf('Do not publish this folder')).toBeLessThan(card.indexOf('## closed'));
  expect(card).not.toContain('![');
  expect(readdirSync(join(dir, 'card'))).toEqual(['closed.counts.json']);
});

test('pictures are shown where they are asked for, and removed where they no longer are', async () => {
  const dir = closedFolder();
  await writeCard(dir, { pictures: 'always' });
  expect(readdirSync(join(dir, 'card')).filter((name) => name.endsWith('.jpeg'))).toHaveLength(3);
  await writeCard(dir);
  expect(readdirSync(join(dir, 'card'))).toEqual(['closed.counts.json']);
});

test('pictures go with what they show, whoever wrote the README.md beside them', async () => {
  const dir = closedFolder();
  await writeCard(dir, { pictures: 'always' });
  const pictureFiles = () => readdirSync(join(dir, 'card')).filter((name) => name.endsWith('.jpeg'));
  writeFileSync(join(dir, 'README.md'), `mine: ![](card/${pictureFiles()[0]})\n`);
  for (const split of ['train', 'test']) rmSync(join(dir, `closed.${split}.manifest.json`));
  expect(await writeCard(dir, { pictures: 'always' })).toEqual({ kept: join(dir, 'README.md') });
  expect(pictureFiles()).toEqual([]);
});

test('people in two splits are counted; what no ledger tells is not known', async () => {
  const dir = closedFolder();
  await writeCard(dir);
  expect(readme(dir)).toContain('| a person in both | 1 |');
  expect(readme(dir)).toContain('| a photograph or recording in both | not known |');
});

test('text from outside is text', async () => {
  const dir = closedFolder();
  await writeCard(dir);
  const body = readme(dir)
    .replace(/^---[\s\S]*?\n---\n/, '')
    .replace(/^```[\s\S]*?^```$/gm, '');
  expect(body).not.toMatch(/(?<!\\)<[bi]>/);
  expect(body).toContain('# Faces \\| \\<b\\>of people\\</b\\>');
});

test('a split that changed is counted anew', async () => {
  const dir = closedFolder();
  await writeCard(dir);
  writeSmallSplit(dir, {
    problem: 'closed',
    split: 'test',
    features: { key: text(), image: image(), 'image/identity': text(), targets: int64() },
    examples: [{ key: 'x', image: pictures[0]!, 'image/identity': 'person 9', targets: 5 }],
  });
  await writeCard(dir);
  expect(readme(dir)).toContain('| 5 | 0 | 1 |');
  expect(readme(dir)).toContain('| a person in both | 0 |');
});

test('a folder without anything finished is refused', async () => {
  await expect(writeCard(mkdtempSync(join(folder, 'empty-')))).rejects.toThrow(
    /nothing in the folder is finished/,
  );
});

test('other people’s files in `card/` are left alone, whatever they are called', async () => {
  const dir = closedFolder();
  mkdirSync(join(dir, 'card'));
  const mine = join(dir, 'card', 'figure-1-overview.png');
  writeFileSync(mine, 'mine');
  await writeCard(dir, { pictures: 'always' });
  expect(readdirSync(join(dir, 'card')).filter((name) => name.endsWith('.jpeg'))).toHaveLength(3);
  writeFileSync(
    join(dir, 'card', 'pictures.json'),
    readFileSync(join(dir, 'card', 'pictures.json'), 'utf8').replace(
      '[',
      '["card/../README-1-x.png", "README.md",',
    ),
  );
  await writeCard(dir);
  expect(readdirSync(join(dir, 'card'))).toEqual(['closed.counts.json', 'figure-1-overview.png']);
  expect(readFileSync(mine, 'utf8')).toBe('mine');
});

test('ledgers that name no inputs, as those of imports, tell of no leaks', async () => {
  const dir = closedFolder();
  for (const split of ['train', 'test'] as const) {
    const head = { shard: '', index: 0, of: 1, settings: '', plan: '', rejected: {}, bytes: 0, sha256: '' };
    const lines = [0, 1, 2].map((i) => ({ key: `a.tfrecord:${i}` }));
    writeLedger(
      ledgerPath(dir, 'closed', split, 0, 1),
      { ...head, indexSha256: '', planned: 3, written: 3 },
      lines,
    );
  }
  await writeCard(dir);
  expect(readme(dir)).toContain('| the same key | not known |');
  expect(readme(dir)).toContain('| a photograph or recording in both | not known |');
});

test('a shard that is not the manifest’s is refused, also where the counts are kept', async () => {
  const dir = closedFolder();
  await writeCard(dir, { pictures: 'always' });
  const [name] = readdirSync(dir).filter((file) => /closed-train.*-of-00001$/.test(file));
  writeFileSync(join(dir, name!), readFileSync(join(dir, name!)).subarray(0, -1));
  await expect(writeCard(dir, { pictures: 'always' })).rejects.toThrow(/closed-train-00000/);
  // What the pictures show can't be known any more.
  expect(readdirSync(join(dir, 'card'))).toEqual(['closed.counts.json']);
});

test('a split that is not finished is said to be so', async () => {
  const dir = closedFolder();
  const features = { key: text() };
  const examples = [{ key: 'x' }];
  const started = writeSmallSplit(dir, { problem: 'started', split: 'dev', features, examples });
  writeManifest(dir, { ...started, complete: false });
  await writeCard(dir);
  expect(readme(dir)).toContain('**Not finished**, and not in any figure below: `started` dev.');
});

test('classes beyond a thousand are counted, and pictures alone are no faces', async () => {
  const dir = mkdtempSync(join(folder, 'many-'));
  for (const [split, first] of [
    ['train', 0],
    ['dev', 1],
  ] as const)
    writeSmallSplit(dir, {
      problem: 'many',
      split,
      features: { image: image(), targets: int64() },
      examples: Array.from({ length: 1200 }, (_, i) => ({ image: pictures[0]!, targets: first + i })),
    });
  await writeCard(dir, { pictures: 'never' });
  expect(readme(dir)).toContain('| 0 | 1 | 0 |\n| 1 | 1 | 1 |');
  expect(readme(dir)).toContain('… and 1,171 more.');
  expect(readme(dir)).not.toContain('- faces');
});

test('a folder called README.md is somebody else’s', async () => {
  const dir = closedFolder();
  mkdirSync(join(dir, 'README.md'));
  expect(await writeCard(dir)).toEqual({ kept: join(dir, 'README.md') });
});

test('an option that is empty is said to be so', async () => {
  const dir = closedFolder();
  const features = { key: text() };
  const made = writeSmallSplit(dir, { problem: 'blank', split: 'dev', features, examples: [{ key: 'x' }] });
  writeManifest(dir, { ...made, settings: { ...made.settings, options: { participants: '' } } });
  await writeCard(dir);
  expect(readme(dir)).toContain('| option participants | (empty) |');
});
