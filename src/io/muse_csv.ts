/** Reads recordings of the Muse headband as muse-lsl and BlueMuse write them: CSV with a timestamp, electrodes and markers. */

import { type ByteSource, openFileSource } from './byte_source.js';
import { decodeText } from './edf_header.js';
import { UserError } from './errors.js';
import {
  type Annotation,
  type RecordedSignal,
  type Recording,
  resolveRange,
  type Segment,
} from './recording.js';

/** Two to three hours, ten times what people record in one piece: the text is held in memory. */
const MOST_BYTES = 2 ** 27;

/** Hz: Muse 2016 and later, Muse 2014, and the latter's research preset. */
const SAMPLING_RATES = [256, 220, 500];

/** Samples of an electrode in one radio packet: the least that is lost at once, and by how much times jitter. */
const PACKET_SAMPLES = 12;

/** Columns that are electrodes; all others but the time are markers. */
const ELECTRODE = /^(TP9|TP10|AF7|AF8|FP1|FP2|FPZ|(LEFT|RIGHT) AUX|AUX.*)$/i;

/** Opens a file; it is read at once, and closed. @throws UserError naming the line that is wrong. */
export async function openMuseCsvFile(path: string): Promise<Recording> {
  const source = await openFileSource(path);
  try {
    return await readMuseCsv(source);
  } finally {
    await source.close();
  }
}

/**
 * Reads a recording. A step in time of more than a packet is a gap; lesser ones are jitter, and samples between gaps
 * are evenly spaced. Marker columns that are not 0 are annotations: their text is the value, or `name=value` of each
 * column where there are several. @throws UserError naming the line that is wrong.
 */
export async function readMuseCsv(source: ByteSource): Promise<Recording> {
  const table = await readTable(source);
  const { names, columns, rows } = table;
  const electrodes = names.flatMap((name, i) => (ELECTRODE.test(name) ? [i] : []));
  const markers = names.flatMap((_, i) => (i > 0 && !electrodes.includes(i) ? [i] : []));
  const times = columns[0]!;
  const samplingRate = samplingRateOf(times, source.name);
  const segments = segmentsOf(times, samplingRate, source.name);
  const signals = electrodes.map(
    (i): RecordedSignal => ({ label: names[i]!, unit: 'uV', samplingRate, samples: rows }),
  );
  const read = async (ranges: Parameters<Recording['readSignals']>[0]): Promise<Float64Array[]> =>
    ranges.map((range) => {
      const { fromSample, samples } = resolveRange(signals, range);
      return columns[electrodes[range.signal]!]!.slice(fromSample, fromSample + samples);
    });
  const annotations = annotationsOf(table, markers, segments);
  return {
    name: source.name,
    signals,
    start: startOf(times[0]!),
    warnings: [],
    readSignals: read,
    readSignal: async (signal, range = {}) => (await read([{ ...range, signal }]))[0]!,
    annotations: async () => annotations,
    segments: async () => segments,
    close: async () => {},
  };
}

interface Table {
  readonly names: readonly string[];
  readonly columns: readonly Float64Array[];
  readonly rows: number;
}

async function readTable(source: ByteSource): Promise<Table> {
  const wrong = (what: string, line: number): UserError =>
    new UserError(what, { where: `${source.name}, line ${line}`, remedy: 'export the recording again' });
  if (source.size > MOST_BYTES) throw wrong(`the file has ${source.size} bytes, more than ${MOST_BYTES}`, 1);
  const lines = decodeText(await source.read(0, source.size)).split(/\r\n|\n|\r/);
  while (lines.at(-1)?.trim() === '') lines.pop();
  const names = (lines[0] ?? '').split(',').map((name) => name.trim().replace(/^\ufeff|"/g, ''));
  if (!/^time(stamps?)?$/i.test(names[0]!) || !names.some((name) => ELECTRODE.test(name)))
    throw new UserError('the first line names no timestamps and electrodes of a Muse', {
      where: `${source.name}, line 1`,
      remedy: 'give it a CSV file of muse-lsl or BlueMuse',
    });
  const rows = lines.length - 1;
  if (rows < 2) throw wrong('there are no samples', lines.length);
  const columns = names.map(() => new Float64Array(rows));
  for (let row = 0; row < rows; row++) {
    const cells = lines[row + 1]!.split(',');
    if (cells.length !== names.length)
      throw wrong(`${cells.length} values where the first line has ${names.length} names`, row + 2);
    for (let i = 0; i < cells.length; i++) columns[i]![row] = numberOf(cells[i]!);
    for (let i = 0; i < cells.length; i++)
      if (Number.isNaN(columns[i]![row]) && (i === 0 || !/^\s*(nan)?\s*$/i.test(cells[i]!)))
        throw wrong(`${JSON.stringify(cells[i])} is no number`, row + 2);
  }
  return { names, columns, rows };
}

/** An electrode that is not plugged in has `nan` or nothing. */
function numberOf(cell: string): number {
  const text = cell.trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/** The headset's own rate: the clock of who receives it runs some tenths of a percent differently. */
function samplingRateOf(times: Float64Array, file: string): number {
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  // Jitter comes by the packet, so that a median is no measure; a mean without the gaps is.
  const short = steps.filter((step) => Math.abs(step) < PACKET_SAMPLES / 200);
  const measured = short.length / short.reduce((sum, step) => sum + step, 0);
  const rate = SAMPLING_RATES.find((candidate) => Math.abs(measured / candidate - 1) < 0.02);
  if (rate !== undefined) return rate;
  throw new UserError(`the timestamps tell ${measured.toFixed(1)} Hz, which is no sampling rate of a Muse`, {
    where: file,
    remedy: 'check that the first column is the time in seconds and that no rows were left out',
  });
}

function segmentsOf(times: Float64Array, samplingRate: number, file: string): Segment[] {
  const recordSeconds = 1 / samplingRate;
  const most = (PACKET_SAMPLES + 0.5) * recordSeconds;
  const segments: Segment[] = [];
  let from = 0;
  for (let row = 1; row <= times.length; row++) {
    const step = row < times.length ? times[row]! - times[row - 1]! : Number.POSITIVE_INFINITY;
    if (step < -most)
      throw new UserError(`the time goes back by ${-step} s`, {
        where: `${file}, line ${row + 2}`,
        remedy: 'split the file there: it holds two recordings',
      });
    if (step <= most) continue;
    const records = row - from;
    const onset = Math.round((times[from]! - times[0]!) * 1e6) / 1e6;
    segments.push({ onset, duration: records * recordSeconds, fromRecord: from, records, recordSeconds });
    from = row;
  }
  return segments;
}

function annotationsOf(
  { names, columns, rows }: Table,
  markers: readonly number[],
  segments: readonly Segment[],
): Annotation[] {
  const annotations: Annotation[] = [];
  const textOf = (row: number): string => {
    const values = markers.map((i) => columns[i]![row]!);
    // `nan` is none, as 0 is.
    if (values.every((value) => value === 0 || Number.isNaN(value))) return '';
    if (values.length === 1) return String(values[0]);
    return values.map((value, k) => `${names[markers[k]!]}=${value}`).join(' ');
  };
  let at = 0;
  for (let row = 0; row < rows; ) {
    while (at + 1 < segments.length && segments[at + 1]!.fromRecord <= row) at++;
    const { onset, fromRecord, records, recordSeconds } = segments[at]!;
    const text = textOf(row);
    let end = row + 1;
    // A marker that is held is one annotation, that lasts.
    while (text !== '' && end < fromRecord + records && textOf(end) === text) end++;
    if (text !== '') {
      const duration = end - row > 1 ? { duration: (end - row) * recordSeconds } : {};
      annotations.push({ onset: onset + (row - fromRecord) * recordSeconds, ...duration, text });
    }
    row = end;
  }
  return annotations;
}

/** Times are those of a clock that began with 1970, in UTC, or of one that began with the computer, which tells no date. */
function startOf(time: number): string | undefined {
  const year2000 = 946_684_800;
  if (!(time > year2000 && time < 1e11)) return undefined;
  return new Date(Math.round(time * 1000)).toISOString().replace(/(\.000)?Z$/, '');
}
