/** Shows how a run goes on: a bar on a terminal, a line every ten seconds elsewhere. */

import cliProgress from 'cli-progress';
import type { DatagenEvent, Preflight } from '../src/datagen/events.js';
import { formatBytes, formatCount, formatCounts, formatSeconds, tell, wrap } from './terminal.js';

const LINE_EVERY_MS = 10_000;

const STAGE_NAMES = {
  metadata: 'metadata',
  plan: 'planning',
  inputs: 'inputs',
  shards: 'shards',
  download: 'download',
  reading: 'reading',
} as const;

type StageName = keyof typeof STAGE_NAMES;

interface Status {
  readonly stage: StageName;
  readonly done: number;
  readonly total: number | undefined;
  readonly text: string;
}

/** Turns the events of a run into progress on standard error. `stop()` ends the bar and the timer. */
export class ProgressDisplay {
  private readonly isTerminal = process.stderr.isTTY === true;
  private bar: cliProgress.SingleBar | undefined;
  private status: Status | undefined;
  private stage: StageName | undefined;
  private stageStartedMs = 0;
  private stageStartedAt = 0;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => this.printLine(), LINE_EVERY_MS);
    this.timer.unref();
  }

  /** To be handed to `onEvent`. */
  readonly onEvent = (event: DatagenEvent): void => {
    if (event.type === 'note') this.say(`note: ${event.text}`);
    else if (event.type === 'licence')
      this.say(
        `${event.dataset}: ${event.licence.name} (${event.licence.url})\n${wrap(event.licence.terms, 100, '  ')}`,
      );
    else if (event.type === 'preflight') this.say(describePreflight(event.preflight));
    else if (event.type === 'resource') {
      const { activity, name, bytes, totalBytes } = event;
      const of = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
      this.update({
        stage: activity,
        done: bytes,
        total: totalBytes,
        text: `${name} ${formatBytes(bytes)}${of}`,
      });
    } else this.update(this.statusOf(event));
  };

  stop(): void {
    clearInterval(this.timer);
    this.endStage();
  }

  /** Prints above the bar. */
  private say(text: string): void {
    this.endStage();
    tell(text);
  }

  private statusOf(event: DatagenEvent & { type: 'progress' }): Status {
    if (this.stage !== event.stage) {
      this.stageStartedMs = performance.now();
      this.stageStartedAt = event.done;
    }
    const seconds = (performance.now() - this.stageStartedMs) / 1000;
    const rate = seconds > 0 ? (event.done - this.stageStartedAt) / seconds : 0;
    const parts = [
      `${formatCount(event.done)}${event.total === undefined ? '' : ` of ${formatCount(event.total)}`}`,
      `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`,
    ];
    if (event.total !== undefined && rate > 0 && event.done < event.total)
      parts.push(`${formatSeconds((event.total - event.done) / rate)} left`);
    if ((event.bytes ?? 0) > 0) parts.push(formatBytes(event.bytes as number));
    if (event.rejected !== undefined && Object.keys(event.rejected).length > 0)
      parts.push(`rejected: ${formatCounts(event.rejected)}`);
    if (event.waiting !== undefined && event.waiting.length > 0)
      parts.push(`waiting for ${event.waiting.slice(0, 3).map(describeWaiting).join(', ')}`);
    return { stage: event.stage, done: event.done, total: event.total, text: parts.join(' | ') };
  }

  private update(status: Status): void {
    if (this.stage !== status.stage) {
      this.endStage();
      this.stage = status.stage;
    }
    this.status = status;
    if (!this.isTerminal) return;
    if (this.bar === undefined) {
      this.bar = new cliProgress.SingleBar({
        format: `${STAGE_NAMES[status.stage].padEnd(8)} {bar} {text}`,
        barsize: 24,
        hideCursor: true,
        clearOnComplete: false,
        linewrap: false,
        fps: 5,
        gracefulExit: false,
      });
      this.bar.start(Math.max(1, status.total ?? status.done), status.done, { text: status.text });
    }
    this.bar.setTotal(Math.max(1, status.total ?? status.done));
    this.bar.update(status.done, { text: status.text });
  }

  private printLine(): void {
    if (!this.isTerminal && this.status !== undefined)
      tell(`${STAGE_NAMES[this.status.stage]}: ${this.status.text}`);
  }

  private endStage(): void {
    this.bar?.stop();
    if (this.bar === undefined) this.printLine();
    this.bar = undefined;
    this.status = undefined;
    this.stage = undefined;
  }
}

/** What is known before the start, in a few lines; estimates are called so. */
export function describePreflight(preflight: Preflight): string {
  const lines = preflight.splits.map(
    ({ split, planned, rejectedByPlan, shards, finished }) =>
      `${split.padEnd(5)} ${formatCount(planned)} examples planned` +
      `${rejectedByPlan > 0 ? ` (${formatCount(rejectedByPlan)} rejected by the plan)` : ''}` +
      `, ${shards} shard${shards === 1 ? '' : 's'}${finished > 0 ? `, ${finished} finished already` : ''}`,
  );
  const {
    files,
    filesToPrepare,
    filesToFetch,
    urls,
    here,
    gone,
    toFetch,
    hosts,
    hostCount,
    estimate,
    freeBytes,
  } = preflight;
  if (files > 0)
    lines.push(
      `files: ${formatCount(files)}, ${formatCount(filesToPrepare)} of them still to be prepared` +
        (filesToFetch > 0 ? `, ${formatCount(filesToFetch)} still to be fetched from the publisher` : ''),
    );
  if (urls > 0 || files === 0)
    lines.push(
      `pictures: ${formatCount(urls)} addresses, ${formatCount(here)} here already, ${formatCount(gone)} known to be gone, ` +
        `${formatCount(toFetch)} to ask for at ${formatCount(hostCount)} host${hostCount === 1 ? '' : 's'}`,
    );
  if (hosts.length > 0)
    lines.push(
      `hosts: ${hosts.map(({ host, urls: count }) => `${host} ${formatCount(count)}`).join(', ')}` +
        `${hostCount > hosts.length ? ', …' : ''}`,
    );
  const download = urls > 0 || files === 0 ? `${formatBytes(estimate.downloadBytes)} to download, ` : '';
  lines.push(
    `estimates: ${download}${formatBytes(estimate.diskBytes)} of disk ` +
      `(${formatBytes(freeBytes)} free), ${formatSeconds(estimate.seconds)}`,
  );
  if (estimate.diskBytes > freeBytes)
    lines.push(
      'warning: the disk will probably be too small; choose another --tmp-dir and --data-dir, or --limit',
    );
  return lines.join('\n');
}

function describeWaiting({ host, untilMs }: { host: string; untilMs: number }): string {
  return `${host} ${formatSeconds(Math.max(0, (untilMs - Date.now()) / 1000))}`;
}
