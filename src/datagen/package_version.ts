/** Our own version, and how we present ourselves to hosts. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function packageVersion(): string {
  return packageJson().version;
}

/** Product and version, with our home page where the package names one. */
export function userAgent(): string {
  const { version, homepage } = packageJson();
  return `t2t-ts/${version}${homepage === undefined ? '' : ` (+${homepage})`}`;
}

let known: { version: string; homepage?: string } | undefined;

function packageJson(): { version: string; homepage?: string } {
  if (known === undefined) {
    let folder = dirname(fileURLToPath(import.meta.url));
    for (;;) {
      try {
        const parsed = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        if (parsed.name === 't2t-ts') {
          known = parsed as { version: string };
          break;
        }
      } catch {
        // Not here: one folder further up.
      }
      if (folder === dirname(folder)) throw new Error('package.json of t2t-ts was not found');
      folder = dirname(folder);
    }
  }
  return known;
}
