import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { createExampleParser } from '../io/example_parser.js';
import { readRecords } from '../io/tfrecord_reader.js';
import { VggFace2Tiny } from './vggface2_tiny.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-vggface2-tiny-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Summary {
  readonly splits: Record<string, { planned: number; written: number; rejected: Record<string, number> }>;
}

async function datagen(name: string, ...more: string[]): Promise<Summary> {
  const places = ['--data-dir', join(folder, name, 'data'), '--tmp-dir', join(folder, name, 'tmp')];
  const result = await runCli(['datagen', 'vggface2_tiny', ...places, '--json', ...more]);
  expect(result.code, result.stderr).toBe(0);
  return result.json as unknown as Summary;
}

test('datagen makes the planned triplets, the same bytes with one worker and with three', async () => {
  const { splits } = await datagen('one', '--workers', '1', '--shards', '3');
  expect([splits.train?.planned, splits.dev?.planned, splits.test?.planned]).toEqual([200, 40, 40]);
  for (const { planned, written, rejected } of Object.values(splits)) {
    expect(written + Object.values(rejected).reduce((sum, count) => sum + count, 0)).toBe(planned);
    expect(written).toBeGreaterThan(planned / 2);
  }
  await datagen('three', '--workers', '3', '--shards', '3');
  expect(differences(join(folder, 'one', 'data'), join(folder, 'three', 'data'))).toEqual([]);
  const people = new Map<string, Set<string>>();
  for (const example of await examples('one')) {
    const identities = [
      example['image/a/identity'],
      example['image/b/identity'],
      example['image/c/identity'],
    ];
    const paths = [example['image/a/path'], example['image/b/path'], example['image/c/path']];
    const odd = Number(example.targets) - 1;
    const [first, second] = [0, 1, 2].filter((place) => place !== odd) as [number, number];
    expect(identities[first]).toBe(identities[second]);
    expect(identities[odd]).not.toBe(identities[first]);
    expect(paths[first]?.slice(0, 12)).not.toBe(paths[second]?.slice(0, 12));
    expect(example['image/a/face/template']).toBe('arcface112');
    expect(example['image/b/gender']).toMatch(/^[mf]$/);
    expect([...example['image/c'].subarray(0, 2)]).toEqual([0xff, 0xd8]);
    for (const identity of identities)
      people.set(identity, (people.get(identity) ?? new Set<string>()).add(example.split));
  }
  for (const splitsOfPerson of people.values()) expect(splitsOfPerson.size).toBe(1);
}, 120_000);

async function examples(name: string) {
  const parser = createExampleParser(new VggFace2Tiny().features);
  const data = join(folder, name, 'data');
  const found = [];
  for (const file of readdirSync(data).sort()) {
    const [, split] = /^vggface2_tiny-(train|dev|test)-\d{5}-of-\d{5}$/.exec(file) ?? [];
    if (split === undefined) continue;
    for await (const { data: bytes } of readRecords(join(data, file)))
      found.push({ split, ...parser.parse(bytes) });
  }
  return found;
}
