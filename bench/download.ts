/** `bench download`: pictures from nginx on loopback into a checked store, against `curl --parallel`. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seededRandom } from '../src/io/random.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';

const run = promisify(execFile);

const BENCH = 'download/small-files';
const FILES = 5000;
const CONNECTIONS = 64;

/** Where Debian and others put nginx, which is not on everyone's path. */
const PATHS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Files a second at 64 connections with journal, limits and checks on; both write every file to the same disk. */
export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  for (const [peer, version] of [
    ['nginx', '-v'],
    ['curl', '--version'],
  ] as const) {
    const isThere = await run(peer, [version], { env: environment() }).then(
      () => true,
      () => false,
    );
    if (isThere) continue;
    yield { bench: BENCH, missing: peer, reason: `${peer} does not start from the PATH` };
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 't2t-bench-download-'));
  let server: ChildProcess | undefined;
  try {
    const port = await freePort();
    const names = makeFiles(join(folder, 'www'));
    server = await startNginx(folder, port, names[0] as string);
    const urls = names.map((name) => `http://127.0.0.1:${port}/${name}`);
    const list = join(folder, 'urls.txt');
    writeFileSync(list, `${urls.join('\n')}\n`);
    let serial = 0;
    const ours = async (): Promise<number> => {
      const target = join(folder, `ours-${++serial}`);
      const child = fileURLToPath(new URL('./download_child.js', import.meta.url));
      const { stdout } = await run(process.execPath, [child, list, target]);
      return counted(Number(stdout), 'ours');
    };
    const theirs = async (): Promise<number> => {
      const target = join(folder, `theirs-${++serial}`);
      mkdirSync(target);
      const config = join(folder, 'curl.txt');
      const pairs = urls.map((url, i) => `url = "${url}"\noutput = "${join(target, names[i] as string)}"\n`);
      writeFileSync(config, pairs.join(''));
      const parallel = ['--parallel', '--parallel-max', String(CONNECTIONS), '--parallel-immediate'];
      await run('curl', [...parallel, '--silent', '--fail', '--config', config]);
      return counted(readdirSync(target).length, 'curl');
    };
    yield figure(BENCH, 'curl --parallel', 'files/s', await alternate({ ours, theirs }));
  } finally {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

function counted(files: number, side: string): number {
  if (files !== FILES) throw new Error(`${side}: ${files} of ${FILES} files arrived`);
  return files;
}

/** Random bytes of 20 to 60 KB behind the head of a JPEG file. */
function makeFiles(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const random = seededRandom('bench/download');
  const noise = Buffer.alloc(128 * 1024);
  for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(random.below(2 ** 32), i);
  return Array.from({ length: FILES }, (_, i) => {
    const start = random.below(60_000);
    const bytes = Buffer.from(noise.subarray(start, start + 20_000 + random.below(40_001)));
    bytes.writeUInt32BE(0xffd8ffe0, 0);
    bytes.writeUInt32BE(i, 4); // No two files alike.
    const name = `${i}.jpg`;
    writeFileSync(join(folder, name), bytes);
    return name;
  });
}

async function startNginx(folder: string, port: number, probe: string): Promise<ChildProcess> {
  const config = join(folder, 'nginx.conf');
  mkdirSync(join(folder, 'temp'));
  // Started by root, nginx would give its worker to a user who can't enter the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    config,
    `${user}daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; types { image/jpeg jpg; }
  ${temporary.map((name) => `${name}_temp_path ${folder}/temp/${name};`).join(' ')}
  server { listen 127.0.0.1:${port}; root ${folder}/www; }
}
`,
  );
  const log = createWriteStream(join(folder, 'nginx.log'));
  const child = spawn('nginx', ['-p', folder, '-c', config, '-e', join(folder, 'error.log')], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  child.on('error', () => {});
  for (let tries = 0; tries < 100; tries++) {
    await sleep(50);
    if (child.exitCode !== null)
      throw new Error(`nginx ended with code ${child.exitCode}: see its error log`);
    const answer = await run('curl', [
      '--silent',
      '--fail',
      '--output',
      '/dev/null',
      `http://127.0.0.1:${port}/${probe}`,
    ]).then(
      () => true,
      () => false,
    );
    if (answer) return child;
  }
  child.kill('SIGKILL');
  throw new Error('nginx did not answer within five seconds');
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await ended;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [process.env.PATH ?? '', ...PATHS].join(':') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
