/** Starts nginx on a free loopback port to serve a folder, for benchmarks that download. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where Debian and others put nginx, which is not on everyone's path. */
const PATHS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

export async function startNginx(folder: string, port: number, probe: string): Promise<ChildProcess> {
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

export async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await ended;
}

export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [process.env.PATH ?? '', ...PATHS].join(':') };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
