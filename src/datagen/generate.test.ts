import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assignFaults, connectToOf, type FaultPlan } from '../../fixtures/fault_plan.js';
import { type FaultServer, startFaultServer } from '../../fixtures/fault_server.js';
import { type FecCorpus, fateOfRow, makeFecCorpus, readFecCorpusFiles } from '../../fixtures/fec_corpus.js';
import { VARIETY_KINDS } from '../../fixtures/picture_variety.js';
import { type CliResult, differences, runCli } from '../../fixtures/run_cli.js';
import { selfSignedCertificate } from '../../fixtures/self_signed.js';
import { ledgerFolder } from './data_files.js';
import { readLedger } from './ledger.js';

/** A few hundred photographs in FEC's format with every fault of the network, every format, every malformed line. */
const folder = mkdtempSync(join(tmpdir(), 't2t-generate-'));
const manual = join(folder, 'manual');
const certificate = selfSignedCertificate(['live.staticflickr.com', '*.staticflickr.com']);
const env = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
let corpus: FecCorpus;
let plan: FaultPlan;
let server: FaultServer;

beforeAll(async () => {
  mkdirSync(manual);
  writeFileSync(env.NODE_EXTRA_CA_CERTS, certificate.cert);
  corpus = await makeFecCorpus({
    folder: manual,
    photographs: 420,
    triplets: { train: 700, test: 200 },
    variety: VARIETY_KINDS,
    addresses: 'with-hostile',
  });
  plan = assignFaults(corpus, (photograph) => join(manual, photograph.file));
  server = await startFaultServer({
    files: new Map([...(await readFecCorpusFiles(manual)), ...plan.files]),
    faults: plan.faults,
    robots: plan.robots,
    tls: certificate,
  });
}, 240_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Short time-outs and pauses, so that faults are soon over. */
const QUICK = [
  'headersTimeoutMs=700',
  'bodyTimeoutMs=700',
  'slowAfterMs=700',
  'backoffMs=20',
  'maxRetryAfterMs=2000',
].flatMap((setting) => ['--fetch', setting]);

function datagen(out: string, ...more: string[]): Promise<CliResult> {
  return runCli(
    [
      'datagen',
      'fec',
      ...['--manual-dir', manual, '--data-dir', join(out, 'data'), '--tmp-dir', join(out, 'tmp'), '--json'],
      ...connectTo(),
      ...QUICK,
      ...['--option', 'dev_fraction=0', '--shards', '3'],
      ...more,
    ],
    { env },
  );
}

function connectTo(): string[] {
  return Object.entries(connectToOf(corpus, server.port)).flatMap(([host, address]) => [
    '--connect-to',
    `${host}=${address}`,
  ]);
}

function ledgerLines(out: string, split: 'train' | 'test') {
  const ledgers = ledgerFolder(join(out, 'data'), 'fec', split);
  return readdirSync(ledgers).flatMap((name) => readLedger(join(ledgers, name)).lines);
}

test('with every fault there is, plan = written + rejected, and each row by its right reason', async () => {
  const out = join(folder, 'faults');
  const result = await datagen(out);
  expect(result.code, result.stderr).toBe(0);
  const { splits } = result.json as {
    splits: Record<'train' | 'test', { planned: number; written: number; rejected: Record<string, number> }>;
  };
  for (const split of ['train', 'test'] as const) {
    const { planned, written, rejected } = splits[split];
    expect(planned).toBe(written + Object.values(rejected).reduce((sum, count) => sum + count, 0));
    const rows = new Map(corpus.rows[split].map((row) => [row.key, row]));
    const lines = ledgerLines(out, split);
    expect(lines.map(({ key }) => key).sort()).toEqual([...rows.keys()].sort());
    const wrong = lines.flatMap((line) => {
      const expected = fateOfRow(rows.get(line.key)!, corpus, plan.expected);
      const isRight =
        expected === 'written'
          ? line.rejected === undefined
          : line.rejected !== undefined && expected.includes(line.rejected);
      return isRight ? [] : [{ ...line, expected }];
    });
    expect(wrong).toEqual([]);
  }
  const reasons = new Set(Object.keys({ ...splits.train.rejected, ...splits.test.rejected }));
  expect([...reasons].sort()).toEqual([
    'bad-url',
    'connection-failed',
    'dead-url',
    'dns-failure',
    'face-too-small',
    'forbidden-address',
    'http-error',
    'image-too-large',
    'in-test-split',
    'low-agreement',
    'malformed-row',
    'not-an-image',
    'opt-out',
    'server-error',
    'throttled',
    'timeout',
    'too-large',
    'too-many-redirects',
    'truncated',
    'undecodable-image',
  ]);
  expect((await runCli(['verify', join(out, 'data'), '--json'])).json).toMatchObject({ ok: true });
});

test('the same command again asks for nothing, changes nothing and is quick about it', async () => {
  const out = join(folder, 'faults');
  const hits = new Map(server.hits);
  const before = join(folder, 'before');
  cpSync(join(out, 'data'), before, { recursive: true });
  const result = await datagen(out);
  expect(result.code, result.stderr).toBe(0);
  expect([...server.hits].filter(([url, count]) => hits.get(url) !== count)).toEqual([]);
  expect(differences(before, join(out, 'data'))).toEqual([]);
});

test('other settings in the same folder are refused, and --overwrite replaces', async () => {
  const out = join(folder, 'faults');
  const refused = await datagen(out, '--seed', '7', '--split', 'test');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('made with other settings');
  const copy = join(folder, 'overwritten');
  cpSync(out, copy, { recursive: true });
  const replaced = await datagen(copy, '--seed', '7', '--split', 'test', '--overwrite', '--shards', '2');
  expect(replaced.code, replaced.stderr).toBe(0);
  expect((await runCli(['verify', join(copy, 'data')])).code).toBe(0);
});

test('a dry run says what would be asked and leaves no shard, no manifest and no request', async () => {
  const out = join(folder, 'dry');
  const hits = new Map(server.hits);
  const result = await datagen(out, '--dry-run');
  expect(result.code, result.stderr).toBe(0);
  expect(result.json).toMatchObject({ dryRun: true });
  const { preflight } = result.json as { preflight: { toFetch: number; hosts: unknown[] } };
  expect(preflight.toFetch).toBeGreaterThan(300);
  expect([...server.hits].filter(([url, count]) => hits.get(url) !== count)).toEqual([]);
  expect(readdirSync(join(out, 'data'))).toEqual([]);
});

/** The same web with one fault mended, at a new port; gives the mended address. */
async function mend(name: string): Promise<string> {
  const url = [...plan.victims].find(([, victim]) => victim.name === name)?.[0] as string;
  mended.add(url);
  const faults = new Map([...plan.faults].filter(([faulty]) => !mended.has(faulty)));
  await server.close();
  server = await startFaultServer({
    files: new Map([...(await readFecCorpusFiles(manual)), ...plan.files]),
    faults,
    robots: plan.robots,
    tls: certificate,
  });
  return url;
}

/** Shards of which some row that was to be made uses the address. */
function shardsHolding(out: string, url: string): Set<string> {
  const splits = ['train', 'test'] as const;
  return new Set(
    splits.flatMap((split) => {
      const users = corpus.rows[split].filter(({ urls }) => urls.includes(url));
      const keys = new Set(users.map(({ key }) => key));
      const ledgers = ledgerFolder(join(out, 'data'), 'fec', split);
      return readdirSync(ledgers).flatMap((name) => {
        const { head, lines } = readLedger(join(ledgers, name));
        return lines.some((line) => keys.has(line.key) && line.inputs !== undefined) ? [head.shard] : [];
      });
    }),
  );
}

function changedShards(before: string, out: string): string[] {
  return differences(before, join(out, 'data')).filter((name) => /-of-\d+$/.test(name));
}

const mended = new Set<string>();

test('--retry asks again for a chosen kind only, and makes only the shards anew whose pictures changed', async () => {
  const out = join(folder, 'faults');
  const url = await mend('not-found');
  const holding = shardsHolding(out, url);
  const result = await datagen(out, '--retry', 'dead');
  expect(result.code, result.stderr).toBe(0);
  expect(server.hits.get(url)).toBe(1);
  for (const [victim, { expected }] of plan.victims)
    if (!expected.includes('dead-url')) expect(server.hits.get(victim), victim).toBeUndefined();
  const changed = changedShards(join(folder, 'before'), out);
  expect(changed.length).toBeGreaterThan(0);
  for (const shard of changed) expect(holding).toContain(shard);
  expect(ledgerLines(out, 'train').some((line) => line.detail?.includes(url))).toBe(false);
  expect((await runCli(['verify', join(out, 'data')])).code).toBe(0);
});

test('what `download --retry` finds again, the next datagen puts into its shards without being told', async () => {
  const out = join(folder, 'faults');
  const before = join(folder, 'before-download');
  cpSync(join(out, 'data'), before, { recursive: true });
  const url = await mend('gone');
  const holding = shardsHolding(out, url);
  const downloaded = await runCli(
    [
      'download',
      'fec',
      ...['--manual-dir', manual, '--tmp-dir', join(out, 'tmp'), '--retry', 'dead', '--json', ...connectTo()],
      ...QUICK,
    ],
    { env },
  );
  expect(downloaded.code, downloaded.stderr).toBe(0);
  expect(server.hits.get(url)).toBe(1);
  const result = await datagen(out);
  expect(result.code, result.stderr).toBe(0);
  expect(server.hits.get(url)).toBe(1);
  const changed = changedShards(before, out);
  expect(changed.length).toBeGreaterThan(0);
  for (const shard of changed) expect(holding).toContain(shard);
  expect((await runCli(['verify', join(out, 'data')])).code).toBe(0);
});

test('forget strikes an address: its file is erased, its shards alone are made anew, it is never asked for again', async () => {
  const out = join(folder, 'faults');
  const before = join(folder, 'before-forget');
  cpSync(join(out, 'data'), before, { recursive: true });
  const written = new Set(
    ledgerLines(out, 'test').flatMap((line) => (line.rejected === undefined ? [line.key] : [])),
  );
  const row = corpus.rows.test.find(({ key }) => written.has(key))!;
  const url = row.urls[0];
  const forget = await runCli(
    [
      'forget',
      join(out, 'data'),
      'fec',
      '--url',
      url,
      '--tmp-dir',
      join(out, 'tmp'),
      '--manual-dir',
      manual,
      '--json',
      ...connectTo(),
    ],
    { env },
  );
  expect(forget.code, forget.stderr).toBe(0);
  const { remade, erased } = forget.json as { remade: string[]; erased: string[] };
  expect(erased.length).toBe(1);
  const changed = differences(before, join(out, 'data')).filter((name) => /-of-\d+$/.test(name));
  expect(changed.sort()).toEqual([...remade].sort());
  expect(changed.length).toBeGreaterThan(0);
  const struck = ledgerLines(out, 'test').filter((line) => line.rejected === 'struck');
  expect(struck.map(({ key }) => key)).toContain(row.key);
  expect((await runCli(['verify', join(out, 'data')])).code).toBe(0);
  const hits = server.hits.get(url);
  rmSync(join(out, 'tmp'), { recursive: true });
  const again = await datagen(out, '--overwrite', '--seed', '3', '--split', 'test');
  expect(again.code, again.stderr).toBe(0);
  expect(server.hits.get(url)).toBe(hits);
});

test('the licence is asked for before the first byte, and misuse is one sentence with exit code 2', async () => {
  const out = join(folder, 'misuse');
  const folders = ['--data-dir', join(out, 'data'), '--tmp-dir', join(out, 'tmp')];
  const unlicensed = await runCli(['datagen', 'fec', ...folders]);
  expect(unlicensed.code).toBe(2);
  expect(unlicensed.stderr).toContain('--accept-licence');
  for (const words of [
    ['datagen', 'fce', ...folders],
    ['datagen', 'fec', '--limit', '0'],
    ['datagen', 'fec', '--split', 'valid'],
    ['datagen', 'fec', '--option', 'marginn=1', ...folders],
    ['datagen', 'fec', '--task', '4/4', '--manual-dir', manual, ...folders],
    ['datagen', 'fec', '--manual-dir', join(folder, 'nowhere'), ...folders],
    ['datagen'],
    ['nonsense'],
    ['verify', folder],
  ]) {
    const result = await runCli(words);
    expect(result.code, words.join(' ')).toBe(2);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.stderr.trim()).not.toBe('');
  }
});
