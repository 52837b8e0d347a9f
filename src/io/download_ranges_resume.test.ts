import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  cleanUp,
  content,
  download,
  folder,
  ownServer,
  PIECE,
  sendRange,
  sha256,
} from './download_ranges.test.helper.js';

afterEach(cleanUp);

describe('downloadRanges, gone on with', () => {
  it('stops with the signal’s reason and goes on from the whole pieces', async () => {
    const big = content('abort', 60 * PIECE);
    const stop = new AbortController();
    let sent = 0;
    const origin = await ownServer((request, response) => {
      setTimeout(() => sendRange(big, '"1"', request, response), 10);
    });
    const path = join(folder(), 'a.edf');
    const run = download(origin, path, {
      signal: stop.signal,
      onProgress: ({ bytes: here }) => {
        sent = here;
        if (here > 10 * PIECE) stop.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(sent).toBeGreaterThan(0);
    let first: number | undefined;
    const done = await download(origin, path, {
      onProgress: ({ bytes: here }) => {
        first ??= here;
      },
    });
    expect(first).toBeGreaterThanOrEqual(10 * PIECE);
    expect(done.sha256).toBe(sha256(big));
  });

  it('fetches a piece again that was spoilt on the disk between two runs', async () => {
    const big = content('spoilt', 60 * PIECE);
    const origin = await ownServer((request, response) => sendRange(big, '"1"', request, response));
    const path = join(folder(), 'a.edf');
    const stop = new AbortController();
    const run = download(origin, path, {
      signal: stop.signal,
      onProgress: ({ bytes: here }) => here > 8 * PIECE && stop.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    const part = readFileSync(`${path}.part`);
    part.fill(0, 0, 2 * PIECE);
    writeFileSync(`${path}.part`, part);
    // And a line that a kill has cut.
    writeFileSync(`${path}.part.pieces`, `${readFileSync(`${path}.part.pieces`, 'utf8')}{"piece":3,"crc`);
    const done = await download(origin, path);
    expect(done.sha256).toBe(sha256(big));
  });

  it('begins anew where what an earlier run left is of another URL or is rubbish', async () => {
    const bytes = content('a', 20 * PIECE);
    const origin = await ownServer((request, response) => sendRange(bytes, '"1"', request, response));
    const path = join(folder(), 'a.edf');
    writeFileSync(`${path}.part`, 'rubbish');
    for (const journal of [
      '',
      'null',
      '[]',
      '{"url":1}',
      '{"url":"http://x/","validator":{"etag":"\\"1\\""},"totalBytes":9,"pieceBytes":65536}\n{"piece":0,"crc32":1}',
    ]) {
      writeFileSync(`${path}.part.pieces`, journal);
      expect((await download(origin, path)).sha256).toBe(sha256(bytes));
    }
  });

  it('refuses to fetch what another process fetches', async () => {
    const origin = await ownServer((request, response) =>
      sendRange(Buffer.from('x'), '"1"', request, response),
    );
    const path = join(folder(), 'a.edf');
    // The parent of this process lives as long as the test does.
    const tag = `${hostname()}~${process.ppid}~0`;
    writeFileSync(`${path}.part.lock`, tag);
    await expect(download(origin, path)).rejects.toThrow('another process');
  });

  it('loses nothing but pieces on their way when it is killed again and again', async () => {
    const big = content('kill', 96 * PIECE);
    let killAt = 3;
    let child: ReturnType<typeof spawn> | undefined;
    let bytesSent = 0;
    const origin = await ownServer((request, response, hit) => {
      const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const end = last === '' ? big.length : Number(last) + 1;
      if (hit === killAt) child?.kill('SIGKILL');
      response.writeHead(206, {
        etag: '"1"',
        'content-range': `bytes ${first}-${end - 1}/${big.length}`,
        'content-length': end - Number(first),
      });
      // Piecemeal, so that a kill falls into the middle.
      let at = Number(first);
      const send = (): void => {
        if (response.destroyed) return;
        const next = Math.min(end, at + 32 * 1024);
        response.write(big.subarray(at, next));
        bytesSent += next - at;
        at = next;
        if (at === end) response.end();
        else setTimeout(send, 2);
      };
      send();
    });
    const path = join(folder(), 'a.edf');
    const script = fileURLToPath(new URL('./download_ranges.test.child.js', import.meta.url));
    let kills = 0;
    for (let run = 0; run < 12 && !existsSync(path); run++) {
      const code = await new Promise<string | number | null>((resolve) => {
        child = spawn(process.execPath, [script, `${origin}/a.edf`, path, '4'], { stdio: 'inherit' });
        // Also where no further request comes to kill at.
        const timer = run < 4 ? setTimeout(() => child?.kill('SIGKILL'), 500 + 60 * run) : undefined;
        child.on('close', (exit, signal) => {
          clearTimeout(timer);
          resolve(signal ?? exit);
        });
      });
      if (code === 'SIGKILL') kills++;
      else expect(code).toBe(0);
      killAt = run < 3 ? killAt + 9 : -1;
    }
    expect(kills).toBeGreaterThan(0);
    expect(readFileSync(path).equals(big)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['a.edf']);
    // Four connections of one piece each are lost at a kill, and what was in the sockets.
    expect(bytesSent).toBeLessThan(big.length + (kills + 1) * 4 * 8 * PIECE);
  });
});
