/** The text files of BrainVision recordings: the header `.vhdr` and the markers `.vmrk` (BrainVision Core Data Format 1.0). */

import { decodeText } from './edf_header.js';
import { UserError } from './errors.js';

export interface BrainVisionChannel {
  readonly label: string;
  readonly reference: string;
  /** Physical units a step of the stored number. */
  readonly resolution: number;
  readonly unit: string;
}

export interface BrainVisionHeader {
  /** Names in the header's own folder. */
  readonly dataFile: string;
  readonly markerFile: string | undefined;
  readonly sampleFormat: 'INT_16' | 'INT_32' | 'IEEE_FLOAT_32';
  readonly orientation: 'MULTIPLEXED' | 'VECTORIZED';
  readonly byteOrder: 'little' | 'big';
  /** In Hz. */
  readonly samplingRate: number;
  /** Samples a channel, where the header says. */
  readonly dataPoints: number | undefined;
  readonly channels: readonly BrainVisionChannel[];
}

export interface BrainVisionMarker {
  /** E.g. `Stimulus`; `New Segment` where recording began or went on after a pause. */
  readonly type: string;
  readonly description: string;
  /** Samples before it. */
  readonly position: number;
  /** In samples: 1 where it is a point in time. */
  readonly size: number;
  /** Of a new segment, where it is known: `2013-11-13T16:12:27.701`. */
  readonly date: string | undefined;
}

/** Parses a header. `name` is the path: its file name stands for `$b`. @throws UserError naming the line. */
export function parseBrainVisionHeader(bytes: Uint8Array, name: string): BrainVisionHeader {
  const file = parseIni(bytes, name, 'Header');
  const common = (key: string): Entry | undefined => file.entry('Common Infos', key);
  const binary = file.entry('Binary Infos', 'BinaryFormat');
  const channelCount = file.number(file.required('Common Infos', 'NumberOfChannels'), 1);
  if (channelCount > 10_000) throw file.fault(`${channelCount} channels`, common('NumberOfChannels')!);
  if ((common('DataFormat')?.value ?? 'BINARY').toUpperCase() !== 'BINARY')
    throw file.fault('the samples are not binary', common('DataFormat')!);
  if ((common('DataType')?.value ?? 'TIMEDOMAIN').toUpperCase() !== 'TIMEDOMAIN')
    throw file.fault('the data are no samples in time', common('DataType')!);
  const interval = file.required('Common Infos', 'SamplingInterval');
  const microseconds = Number(interval.value);
  if (!(microseconds > 0 && microseconds < 1e9))
    throw file.fault(`the sampling interval is ${JSON.stringify(interval.value)} µs`, interval);
  const dataPoints = common('DataPoints');
  const channels = Array.from({ length: channelCount }, (_, i) =>
    parseChannel(file, file.required('Channel Infos', `Ch${i + 1}`)),
  );
  const markerFile = common('MarkerFile');
  return {
    dataFile: file.besides(file.required('Common Infos', 'DataFile')),
    markerFile: markerFile === undefined || markerFile.value === '' ? undefined : file.besides(markerFile),
    sampleFormat: file.oneOf(binary, ['INT_16', 'INT_32', 'IEEE_FLOAT_32'], 'INT_16'),
    orientation: file.oneOf(common('DataOrientation'), ['MULTIPLEXED', 'VECTORIZED'], 'MULTIPLEXED'),
    byteOrder: /^yes$/i.test(file.entry('Binary Infos', 'UseBigEndianOrder')?.value ?? '') ? 'big' : 'little',
    samplingRate: 1e6 / microseconds,
    dataPoints: dataPoints === undefined ? undefined : file.number(dataPoints, 0),
    channels,
  };
}

/** Parses markers, in the order of the file. @throws UserError naming the line. */
export function parseBrainVisionMarkers(bytes: Uint8Array, name: string): BrainVisionMarker[] {
  const file = parseIni(bytes, name, 'Marker');
  return file.section('Marker Infos').map((entry) => {
    const [type = '', description = '', position, size, , date] = entry.value.split(',').map(uncomma);
    const at = Number(position);
    const length = size === undefined || size === '' ? 1 : Number(size);
    if (
      !/^mk\d+$/i.test(entry.key) ||
      !Number.isInteger(at) ||
      at < 1 ||
      !Number.isInteger(length) ||
      length < 0
    )
      throw file.fault('this is no marker', entry);
    return { type, description, position: at - 1, size: length, date: dateOf(date) };
  });
}

function parseChannel(file: IniFile, entry: Entry): BrainVisionChannel {
  const [label = '', reference = '', resolution = '', unit = ''] = entry.value.split(',').map(uncomma);
  const step = resolution.trim() === '' ? 1 : Number(resolution);
  if (!Number.isFinite(step) || step === 0)
    throw file.fault(`the resolution of channel ${label} is ${JSON.stringify(resolution)}`, entry);
  return { label, reference, resolution: step, unit: unit === '' ? 'µV' : unit };
}

/** Within a field, a comma is written as `\1`. */
function uncomma(field: string): string {
  return field.replaceAll('\\1', ',');
}

/** From `yyyymmddhhmmssuuuuuu`, which is all zeros where the time is not known. */
function dateOf(field: string | undefined): string | undefined {
  const [, year, month, day, hour, minute, second, millisecond] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})\d{3}$/.exec(field?.trim() ?? '') ?? [];
  const date = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}`;
  return Number.isNaN(Date.parse(`${date}Z`)) ? undefined : date;
}

interface Entry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** 1 for the first. */
  readonly line: number;
}

/** Sections, keys and values, with errors that know their line. */
class IniFile {
  private readonly name: string;
  private readonly entries: readonly Entry[];
  private readonly byKey: ReadonlyMap<string, Entry>;

  constructor(name: string, entries: readonly Entry[]) {
    this.name = name;
    this.entries = entries;
    this.byKey = new Map(entries.map((entry) => [`${entry.section}\n${entry.key.toLowerCase()}`, entry]));
  }

  section(section: string): readonly Entry[] {
    return this.entries.filter((entry) => entry.section === section.toLowerCase());
  }

  entry(section: string, key: string): Entry | undefined {
    return this.byKey.get(`${section}\n${key}`.toLowerCase());
  }

  required(section: string, key: string): Entry {
    const found = this.entry(section, key);
    if (found !== undefined) return found;
    throw new UserError(`there is no ${key} in [${section}]`, { where: this.name, remedy: REMEDY });
  }

  /** A whole number. */
  number(entry: Entry, least: number): number {
    const value = Number(entry.value);
    if (Number.isSafeInteger(value) && value >= least && entry.value.trim() !== '') return value;
    throw this.fault(`${entry.key} is ${JSON.stringify(entry.value)}`, entry);
  }

  oneOf<T extends string>(entry: Entry | undefined, values: readonly T[], usual: T): T {
    if (entry === undefined) return usual;
    const found = values.find((value) => value === entry.value.toUpperCase());
    if (found === undefined) throw this.fault(`${entry.key} is none of ${values.join(', ')}`, entry);
    return found;
  }

  /** The name of a file beside this one. A header from elsewhere must not make us read files of other folders. */
  besides(entry: Entry): string {
    const own = /[^/\\]*$/.exec(this.name)![0].replace(/\.[^.]*$/, '');
    const file = entry.value.replace('$b', () => own);
    if (/[/\\\0]/.test(file) || file === '..' || file === '.' || file === '')
      throw this.fault(`${entry.key} is no file beside the header: ${JSON.stringify(entry.value)}`, entry);
    return file;
  }

  fault(what: string, { line }: Entry): UserError {
    return new UserError(what, { where: `${this.name}, line ${line}`, remedy: REMEDY });
  }
}

const REMEDY = 'export the recording again, or mend that line';

function parseIni(bytes: Uint8Array, name: string, kind: 'Header' | 'Marker'): IniFile {
  const lines = decodeText(bytes)
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/);
  // `Brain Vision Data Exchange Header File Version 1.0`; later ones write it in one word.
  if (!new RegExp(`^Brain ?Vision .*${kind} File`, 'i').test(lines[0]!))
    throw new UserError(`the first line is not that of a BrainVision ${kind.toLowerCase()} file`, {
      where: `${name}, line 1`,
      remedy: 'give it the .vhdr file of a BrainVision recording',
    });
  const entries: Entry[] = [];
  let section = '';
  for (const [i, line] of lines.entries()) {
    const heading = /^\[(.*)\]\s*$/.exec(line);
    if (heading !== null) section = heading[1]!.trim().toLowerCase();
    // What follows is free text, in which there may be anything.
    if (section === 'comment') break;
    const equals = line.indexOf('=');
    if (heading === null && equals > 0 && !line.startsWith(';'))
      entries.push({
        section,
        key: line.slice(0, equals).trim(),
        value: line.slice(equals + 1).trimEnd(),
        line: i + 1,
      });
  }
  return new IniFile(name, entries);
}
