/** `bench sampling`: the plan of a million identity triplets over the whole of VGGFace2, against the limits. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Identity } from '../src/datasets/vggface2/identities.js';
import { withOptions } from '../src/problems/problem.js';
import { type IdentityTripletRow, VggFace2 } from '../src/problems/vggface2.js';
import { alternate, type BenchFigure, figure, median } from './harness.js';
import { madeUpSource, type SamplingRun } from './sampling_run.js';

const run = promisify(execFile);

/** What the plan may take: issue "Faces: detection, alignment, and VGGFace2". */
const LIMIT_SECONDS = 20;
const LIMIT_MIB = 1024;

/** A sampler whose persons come out less even than one in a hundred uniform draws is called biased. */
const LEAST_P = 0.01;

const RUNS = 5;
const ROWS = 200_000;

/**
 * Each run is a process of its own: names to identities, then train's million triplets and dev's and test's, written,
 * shuffled, cut into shards and their inputs numbered as `datagen` does it. Against a limit, the ratio is the limit over
 * ours.
 */
export async function* bench(): AsyncGenerator<BenchFigure, void, undefined> {
  const child = fileURLToPath(new URL('./sampling_child.js', import.meta.url));
  const runs: SamplingRun[] = [];
  for (let i = 0; i < RUNS; i++) {
    const { stdout } = await run(process.execPath, [child]);
    runs.push(JSON.parse(stdout) as SamplingRun);
  }
  const [first] = runs as [SamplingRun];
  const seconds = median(runs.map((one) => one.seconds));
  const cpuSeconds = median(runs.map((one) => one.cpuSeconds));
  const mib = median(runs.map((one) => one.peakMiB));
  yield against(
    'plan-time',
    `limit of ${LIMIT_SECONDS} s`,
    's',
    seconds,
    LIMIT_SECONDS,
    LIMIT_SECONDS / seconds,
  );
  // The same in processor time: what it takes where nobody else wants the cores.
  yield against(
    'plan-cpu',
    `limit of ${LIMIT_SECONDS} s`,
    's',
    cpuSeconds,
    LIMIT_SECONDS,
    LIMIT_SECONDS / cpuSeconds,
  );
  yield against('plan-memory', `limit of ${LIMIT_MIB} MiB`, 'MiB', mib, LIMIT_MIB, LIMIT_MIB / mib);
  for (const [name, p] of [
    ['anchors', first.anchorsPValue],
    ['others', first.othersPValue],
  ] as const)
    yield against(`uniform-${name}`, 'chi-squared p of 0.01', 'p', p, LEAST_P, p / LEAST_P);
  const same = runs.filter(({ digest }) => digest === first.digest).length;
  yield against('same-plan', 'the first run’s digest', 'runs', same, RUNS, same / RUNS);

  const source = madeUpSource();
  const ours = (): number => {
    const problem = withOptions(new VggFace2(), { examples: ROWS });
    return counted(problem.plan('train', source, { seed: 1, note: () => {} }));
  };
  const theirs = (): number => counted(bareRows(source.identities('train')));
  yield figure('sampling/rows', 'bare Math.random loop', 'rows/s', await alternate({ ours, theirs }));
}

function counted(rows: Iterable<IdentityTripletRow>): number {
  let count = 0;
  for (const row of rows) count += row.key === '' ? 0 : 1;
  if (count !== ROWS) throw new Error(`${count} rows instead of ${ROWS}`);
  return count;
}

/** What one would write without a promise: no seed, nothing kept from coming twice or from being its own other. */
function* bareRows(identities: readonly Identity[]): Generator<IdentityTripletRow> {
  const any = <T>(list: { readonly length: number }, at: (i: number) => T): T =>
    at(Math.floor(Math.random() * list.length));
  for (let i = 0; i < ROWS; i++) {
    const anchor = any(identities, (n) => identities[n] as Identity);
    const other = any(identities, (n) => identities[n] as Identity);
    const images = [anchor, anchor, other].map((one) => any(one.images, (n) => one.images.name(n)));
    yield {
      key: `train:${i}`,
      images: images as [string, string, string],
      genders: [anchor.gender ?? '', anchor.gender ?? '', other.gender ?? ''],
      odd: 3,
    };
  }
}

function against(
  name: string,
  peer: string,
  unit: string,
  ours: number,
  theirs: number,
  ratio: number,
): BenchFigure {
  const round = (value: number): number => Number(value.toPrecision(4));
  return {
    bench: `sampling/${name}`,
    ratio: round(ratio),
    against: peer,
    ours: round(ours),
    theirs: round(theirs),
    unit,
    n: RUNS,
  };
}
