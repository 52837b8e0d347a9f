/** Channels by their names in the 10-20 and 10-10 systems, however a file writes them; picking and ordering by name. */

import { SignalError } from './signal_error.js';

/**
 * The name that the 10-10 system gives to what a file calls a channel: `EEG Fpz-Cz` is `Fpz-Cz`, `Fc5.` is `FC5`,
 * `EEG T3-REF` is `T7`. Names of the 10-20 system whose places were renamed get the new one (American Clinical
 * Neurophysiology Society, guideline 2: T3, T4, T5, T6 are T7, T8, P7, P8). A common reference behind a name is dropped;
 * two electrodes stay a pair, `FP1-F7` is `Fp1-F7`, and so does an electrode against an ear, `C3-A2`. What is in neither
 * system (`EOG horizontal`, `Status`) stays as it is, without the blanks around it.
 */
export function canonicalChannel(label: string): string {
  let name = canonicalNames.get(label);
  if (name === undefined) {
    name = findCanonical(label);
    if (canonicalNames.size >= MOST_NAMES) canonicalNames.clear();
    canonicalNames.set(label, name);
  }
  return name;
}

/** Each channel is asked for with every window. */
const canonicalNames = new Map<string, string>();
const MOST_NAMES = 1000;

function findCanonical(label: string): string {
  const trimmed = label.trim();
  const parts = trimmed
    .replace(PREFIX, '')
    .replace(TRAILING_DOTS, '')
    .split(/\s*-\s*/);
  const first = electrode(parts[0] as string);
  if (first === undefined) return trimmed;
  if (parts.length === 1) return first;
  const second = electrode(parts[1] as string);
  if (parts.length === 2 && COMMON_REFERENCE.test(parts[1] as string)) return first;
  if (second === undefined) return trimmed;
  // A third part numbers channels of the same name, as MNE writes them: `T8-P8-0`.
  const isNumbered = parts.length === 3 && /^\d$/.test(parts[2] as string);
  return parts.length === 2 || isNumbered ? `${first}-${second}` : trimmed;
}

/** The electrodes of a canonical name: one, two for a pair, none where the name is not of the 10-10 system. */
export function electrodesOf(channel: string): readonly string[] {
  const parts = channel.split('-');
  const isKnown = parts.length <= 2 && parts.every((part) => electrode(part) === part);
  return isKnown ? parts : [];
}

/**
 * For each of the names that are wanted, the index of the channel that has it: the one labelled exactly so, or else the
 * first of the same canonical name. The wanted names may be any that `canonicalChannel` understands.
 * @throws SignalError of fault 'missing-channels' that lists all that are missing; `where` is what its message calls the
 * recording.
 */
export function pickChannels(
  labels: readonly string[],
  wanted: readonly string[],
  details: { readonly where?: string } = {},
): number[] {
  const byLabel = new Map<string, number>();
  const byName = new Map<string, number>();
  for (const [i, label] of labels.entries()) {
    if (!byLabel.has(label.trim())) byLabel.set(label.trim(), i);
    const name = comparable(label);
    if (!byName.has(name)) byName.set(name, i);
  }
  const found = wanted.map((name) => byLabel.get(name.trim()) ?? byName.get(comparable(name)));
  const missing = wanted.filter((_, i) => found[i] === undefined);
  if (missing.length > 0) throw missingChannels(missing, labels, details);
  return found as number[];
}

/** The names that a channel's error lists at most, so that a cap of 256 doesn't fill the screen. */
const MOST_LISTED = 80;

function missingChannels(
  missing: readonly string[],
  labels: readonly string[],
  details: { readonly where?: string },
): SignalError {
  const list = (names: readonly string[]): string =>
    names.slice(0, MOST_LISTED).join(', ') +
    (names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : '');
  const nouns = missing.length === 1 ? 'channel' : 'channels';
  const present = labels.length === 0 ? 'none are there' : `there are ${list(labels.map(canonicalChannel))}`;
  return new SignalError('missing-channels', `no ${nouns} ${list(missing)}; ${present}`, details);
}

/** Names outside the 10-10 system are the same where only case differs. */
function comparable(label: string): string {
  return canonicalChannel(label).toLowerCase();
}

/** The standard texts of EDF+ (section 2.4, "EEG" and its specification) begin with the type of signal. */
const PREFIX = /^EEG[\s_]+/i;

/** EEGMMIDB fills labels to four characters: `C3..`. */
const TRAILING_DOTS = /\.+$/;

/** What clinical systems write for the reference all channels share: linked ears, average, or just "reference". */
const COMMON_REFERENCE = /^(ref|le|ar|avg|av|average|cavg|linkedears)$/i;

const RENAMED: Readonly<Record<string, string>> = { T3: 'T7', T4: 'T8', T5: 'P7', T6: 'P8' };

/** Rows of the 10-10 system from front to back, with the spelling that it has; the longer ones first. */
const ROWS = ['AF', 'FC', 'FT', 'Fp', 'CP', 'TP', 'PO', 'N', 'F', 'C', 'T', 'P', 'O', 'I'];
const ROW_BY_LETTERS = new Map(ROWS.map((row) => [row.toUpperCase(), row]));
/** A row and a place in it (z on the midline, odd left, even right), or an ear lobe (A) or mastoid (M). */
const ELECTRODE = new RegExp(`^(?:(${ROWS.join('|')})(z|10|[1-9])|([AM])([12]))$`, 'i');

function electrode(text: string): string | undefined {
  const [, row, place, side, number] = ELECTRODE.exec(text) ?? [];
  if (side !== undefined) return `${side.toUpperCase()}${number}`;
  if (row === undefined || place === undefined) return undefined;
  const name = `${ROW_BY_LETTERS.get(row.toUpperCase())}${place.toLowerCase()}`;
  return RENAMED[name] ?? name;
}
