/** Our side of `bench download`: fetches a list of URLs into a store and prints how many it has. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContentStore } from '../src/io/content_store.js';
import { fetchUrls } from '../src/io/fetch_urls.js';
import { UrlJournal } from '../src/io/url_journal.js';

const [list, target] = process.argv.slice(2) as [string, string];
const urls = readFileSync(list, 'utf8').trimEnd().split('\n');
const journal = UrlJournal.open(join(target, 'journal'));
let ok = 0;
for await (const fate of fetchUrls(urls, {
  store: new ContentStore(join(target, 'files')),
  journal,
  allowPrivateHosts: true,
  limits: { maxConcurrent: 64, maxPerHost: 64, maxPerDomain: 64 },
})) {
  if (fate.status === 'ok') ok += 1;
  else process.stderr.write(`${fate.url}: ${fate.kind}, ${fate.detail}\n`);
}
await journal.close();
process.stdout.write(`${ok}\n`);
