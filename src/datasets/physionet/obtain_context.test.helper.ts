/** A context for tests of `obtain()`, which fetches as a run does, and remembers what was noted and fetched. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { downloadRanges } from '../../io/download_ranges.js';
import type { ObtainContext } from '../dataset.js';

export interface TestContext extends ObtainContext {
  readonly notes: string[];
  /** Names of resources that were asked for and not here yet. */
  readonly fetched: string[];
  agreed: number;
}

export function testContext(options: {
  readonly rawDir: string;
  readonly manualDir?: string;
  readonly mirror?: string;
  readonly subjects?: readonly string[];
  readonly signal?: AbortSignal;
}): TestContext {
  const notes: string[] = [];
  const fetched: string[] = [];
  const context: TestContext = {
    ...options,
    notes,
    fetched,
    agreed: 0,
    async agree() {
      context.agreed++;
    },
    note: (text) => notes.push(text),
    say() {},
    progress() {},
    async fetch(resource) {
      const path = join(options.rawDir, resource.name);
      if (existsSync(path)) return path;
      fetched.push(resource.name);
      const { connections } = resource;
      await downloadRanges({
        url: resource.url,
        path,
        ...(resource.sha256 === undefined ? {} : { expected: { sha256: resource.sha256 } }),
        ...(connections === undefined ? {} : { connections }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        allowPrivateHosts: true,
        backoffMs: 5,
        timeouts: { headersTimeoutMs: 1000, bodyTimeoutMs: 1000 },
      });
      return path;
    },
  };
  return context;
}
