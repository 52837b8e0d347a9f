/** The `chbNN-summary.txt` files of CHB-MIT: which recordings there are, their channels, and when seizures happen. */

import { UserError } from '../../io/errors.js';

/** Seconds after the recording's first sample. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

export interface SummarizedFile {
  /** Without a folder, e.g. `chb01_03.edf`. */
  readonly fileName: string;
  /** As the summary lists them; where they change in between, those of this file. Empty where none are listed. */
  readonly channels: readonly string[];
  /** How long it lasts by the clock times of its start and end, in seconds; absent where they are. */
  readonly seconds?: number;
  /** In order of time. */
  readonly seizures: readonly Interval[];
  /** Why the seizures can't be relied on, where they can't. */
  readonly fault?: string;
}

export interface Summary {
  /** In Hz. */
  readonly samplingRate: number | undefined;
  readonly files: readonly SummarizedFile[];
}

/**
 * Reads a summary. Channel lists hold for the files that follow them; a new one begins with `Channel 1`. Starts and ends
 * of seizures are paired in the order in which they come: in one summary the printed numbers are wrong (`chb09_08.edf`
 * has two ends of seizure 1). Clock times go beyond 24 hours or start anew there: only their difference is used.
 * @throws UserError where the text is no such summary.
 */
export function parseChbSummary(text: string, where: string): Summary {
  let samplingRate: number | undefined;
  let channels: string[] = [];
  let open: OpenFile | undefined;
  const files: SummarizedFile[] = [];
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = raw.trim();
    const rate = /^Data Sampling Rate:\s*(\d{1,6}(?:\.\d+)?)\s*Hz$/i.exec(line)?.[1];
    if (rate !== undefined) samplingRate = Number(rate);
    const [, number, label] = /^Channel (\d{1,4}):\s*(.*)$/i.exec(line) ?? [];
    if (number !== undefined) {
      if (number === '1') channels = [];
      channels.push(label as string);
    }
    const fileName = /^File Name:\s*(.+)$/i.exec(line)?.[1];
    if (fileName !== undefined) {
      if (open !== undefined) files.push(closed(open));
      if (!/^[\w+.-]+\.edf$/.test(fileName))
        throw new UserError(`${JSON.stringify(fileName.slice(0, 40))} is no name of a recording`, {
          where: `${where}, line ${index + 1}`,
          remedy: 'fetch the file again',
        });
      open = { fileName, channels, declared: undefined, starts: [], ends: [] };
    }
    if (open !== undefined) {
      readClockLine(line, open);
      readSeizureLine(line, open);
    }
  }
  if (open !== undefined) files.push(closed(open));
  if (files.length === 0)
    throw new UserError('the summary names no recording', { where, remedy: 'fetch the file again' });
  return { samplingRate, files };
}

interface OpenFile {
  readonly fileName: string;
  readonly channels: readonly string[];
  /** Seconds of the clock. */
  clockStart?: number;
  clockEnd?: number;
  declared: number | undefined;
  readonly starts: number[];
  readonly ends: number[];
  fault?: string;
}

function readClockLine(line: string, file: OpenFile): void {
  const [, edge, hours, minutes, seconds] =
    /^File (Start|End) Time:\s*(\d{1,3}):(\d{1,2}):(\d{1,2})$/i.exec(line) ?? [];
  if (edge === undefined) return;
  const time = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (edge.toLowerCase() === 'start') file.clockStart = time;
  else file.clockEnd = time;
}

function readSeizureLine(line: string, file: OpenFile): void {
  const declared = /^Number of Seizures in File:\s*(\d{1,4})$/i.exec(line)?.[1];
  if (declared !== undefined) file.declared = Number(declared);
  if (!/^Seizure\b/i.test(line)) return;
  const [, edge, seconds] =
    /^Seizure(?:\s+\d{1,3})?\s+(Start|End) Time:\s*(\d{1,7}(?:\.\d{1,6})?)\s*(?:seconds?)?$/i.exec(line) ??
    [];
  if (edge === undefined) file.fault ??= `the line ${JSON.stringify(line.slice(0, 60))} is not understood`;
  else (edge.toLowerCase() === 'start' ? file.starts : file.ends).push(Number(seconds));
}

function closed(file: OpenFile): SummarizedFile {
  const { fileName, channels, declared, starts, ends, fault } = file;
  const seizures = starts.slice(0, ends.length).map((start, i) => ({ start, end: ends[i] as number }));
  const inOrder = seizures.every(({ start, end }, i) => start < end && start >= (seizures[i - 1]?.end ?? 0));
  const found =
    fault ??
    (starts.length !== ends.length
      ? `${starts.length} seizures begin and ${ends.length} end`
      : declared !== undefined && declared !== starts.length
        ? `${declared} seizures are said to be there, ${starts.length} are listed`
        : inOrder
          ? undefined
          : 'seizures end before they begin or overlap');
  const seconds = secondsOf(file);
  return {
    fileName,
    channels,
    seizures,
    ...(seconds === undefined ? {} : { seconds }),
    ...(found === undefined ? {} : { fault: found }),
  };
}

const DAY_SECONDS = 24 * 3600;

/** None of the corpus lasts as long as a day. */
function secondsOf({ clockStart, clockEnd }: OpenFile): number | undefined {
  if (clockStart === undefined || clockEnd === undefined) return undefined;
  const seconds = (((clockEnd - clockStart) % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS;
  return seconds === 0 ? undefined : seconds;
}
