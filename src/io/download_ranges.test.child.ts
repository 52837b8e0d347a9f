/** A process that downloads one file by ranges, to be killed by a test. */

import { downloadRanges } from './download_ranges.js';

const [url, path, connections] = process.argv.slice(2) as [string, string, string];
await downloadRanges({
  url,
  path,
  connections: Number(connections),
  pieceBytes: 64 * 1024,
  allowPrivateHosts: true,
});
