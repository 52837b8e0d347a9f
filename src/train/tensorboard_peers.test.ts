import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { askJsonWitness } from '../../fixtures/json_witness.js';
import { EventWriter } from '../io/tensorboard_events.js';
import {
  histogramOf,
  histogramSummary,
  hparamsEndSummary,
  hparamsExperimentSummary,
  hparamsStartSummary,
  imageSummary,
  scalarSummary,
  textSummary,
} from '../io/tensorboard_summaries.js';
import { writeProjector } from './projector.js';

const root = mkdtempSync(join(tmpdir(), 't2t-tensorboard-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const [folder, hparamsFolder, projector] = [
  join(root, 'run'),
  join(root, 'hparams'),
  join(root, 'projector'),
];

const picture = await sharp({ create: { width: 5, height: 3, channels: 3, background: '#808' } })
  .png()
  .toBuffer();
const weights = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i));
const embeddings = { data: Float32Array.of(1, 0.5, -3e-8, 1e20, 0, -1), shape: [3, 2] };
const thumbnails = [10, 20, 30].map((value) => new Uint8Array(4 * 4 * 3).fill(value));

writeRuns();
await writeProjector(projector, 'eval "1"', {
  embeddings,
  columns: { label: ['a\tb', '', 'c'], subject: [1, 2, 3] },
  thumbnails: { pictures: thumbnails, side: 4 },
});

/** What `witness/tensorboard_runs.py` answers. */
interface Witnessed {
  readonly scalars: Readonly<
    Record<string, readonly (readonly [step: number, value: number, time: number])[]>
  >;
  readonly images: Readonly<Record<string, unknown>>;
  readonly histograms: Readonly<Record<string, unknown>>;
  readonly texts: Readonly<Record<string, unknown>>;
  readonly dashboards: Readonly<Record<string, readonly string[]>>;
  readonly hparams: Readonly<Record<string, unknown>>;
  readonly projector: { readonly config: unknown; readonly points: number[][] };
}

const witness = askJsonWitness('tensorboard_runs.py', 'tensorboard', {
  folder,
  hparams_folder: hparamsFolder,
  projector,
}) as Witnessed | undefined;

test.skipIf(witness === undefined)('TensorBoard reads every value that we write (skipped without it)', () => {
  expect(witness!.images).toEqual({ faces: [[2, 5, 3, picture.toString('base64')]] });
  expect(witness!.histograms).toEqual({ 'weights/dense': [{ step: 2, ...histogramOf(weights) }] });
  expect(witness!.texts).toEqual({ notes: [[0, ['**größer**']]] });
  expect(witness!.dashboards).toEqual({
    scalars: ['loss/train'],
    images: ['faces'],
    histograms: ['weights/dense'],
    text: ['notes'],
  });
});

test.skipIf(witness === undefined)(
  'after a restart TensorBoard has forgotten the steps that are done again (skipped without it)',
  () => {
    const scalars = witness!.scalars['loss/train']!;
    expect(scalars.map(([step, value]) => [step, value])).toEqual([
      [0, 1],
      [1, 0.5],
      [2, 0.25],
      [3, Math.fround(0.3)],
      [4, Math.fround(0.1)],
    ]);
    expect(scalars[0]![2]).toBe(1_700_000_000.25);
  },
);

test.skipIf(witness === undefined)(
  "hyper-parameters are those of TensorBoard's plugin (skipped without it)",
  () => {
    expect(witness!.hparams).toEqual({
      '_hparams_/experiment': {
        experiment: {
          time_created_secs: 12,
          hparam_infos: [
            { name: 'learning_rate', type: 'DATA_TYPE_FLOAT64' },
            { name: 'model', type: 'DATA_TYPE_STRING' },
            { name: 'augment', type: 'DATA_TYPE_BOOL' },
          ],
          metric_infos: [{ name: { tag: 'accuracy' } }],
        },
      },
      '_hparams_/session_start_info': {
        session_start_info: {
          hparams: { learning_rate: 3e-4, model: 'eegnet', augment: false },
          group_name: 'seeds',
          start_time_secs: 13.5,
        },
      },
      '_hparams_/session_end_info': { session_end_info: { status: 'STATUS_SUCCESS', end_time_secs: 20 } },
    });
  },
);

test.skipIf(witness === undefined)("points are those of TensorBoard's projector (skipped without it)", () => {
  expect(witness!.projector.points.flat().map(Math.fround)).toEqual([...embeddings.data]);
  expect(witness!.projector.config).toEqual({
    embeddings: [
      {
        tensor_name: 'eval "1"',
        tensor_path: 'eval "1".tensors.tsv',
        metadata_path: 'eval "1".metadata.tsv',
        sprite: { image_path: 'eval "1".png', single_image_dim: [4, 4] },
      },
    ],
  });
});

test('labels are a line a point under their names, and thumbnails stand row by row in a square sheet', async () => {
  const labels = readFileSync(join(projector, 'eval "1".metadata.tsv'), 'utf8');
  expect(labels).toBe('label\tsubject\na b\t1\n-\t2\nc\t3\n');
  const { data, info } = await sharp(join(projector, 'eval "1".png'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([8, 8]);
  const greyAt = (x: number, y: number) => data[(y * 8 + x) * 3];
  expect([greyAt(0, 0), greyAt(7, 3), greyAt(3, 7), greyAt(4, 4)]).toEqual([10, 20, 30, 255]);
});

test('a single column of labels has no header, as the projector wants it', async () => {
  const one = join(root, 'one');
  await writeProjector(one, 'p', { embeddings, columns: { label: ['x', 'y', 'z'] } });
  expect(readFileSync(join(one, 'p.metadata.tsv'), 'utf8')).toBe('x\ny\nz\n');
  await expect(writeProjector(one, 'p', { embeddings, columns: { label: ['x'] } })).rejects.toThrow(
    'column label has 1 values for 3 rows',
  );
});

/** A run that was killed after step 5 and goes on at step 3, and one with hyper-parameters. */
function writeRuns(): void {
  const first = new EventWriter(folder, { now: () => 1_700_000_000_250 });
  first.add(0, textSummary('notes', '**größer**'));
  for (let step = 0; step <= 5; step++) first.add(step, scalarSummary('loss/train', 0.5 ** step));
  first.add(2, imageSummary('faces', { bytes: picture, width: 5, height: 3, channels: 3 }));
  first.add(2, histogramSummary('weights/dense', histogramOf(weights)!));
  first.close();
  const second = new EventWriter(folder, { resumedAt: 3 });
  second.add(3, scalarSummary('loss/train', 0.3));
  second.add(4, scalarSummary('loss/train', 0.1));
  second.close();
  const hparams = { learning_rate: 3e-4, model: 'eegnet', augment: false };
  const run = new EventWriter(hparamsFolder);
  run.add(
    0,
    hparamsExperimentSummary({ hparams, metrics: ['accuracy'], createdSeconds: 12 }),
    hparamsStartSummary({ hparams, group: 'seeds', startedSeconds: 13.5 }),
  );
  run.add(9, scalarSummary('accuracy', 0.9), hparamsEndSummary({ status: 'success', endedSeconds: 20 }));
  run.close();
}
