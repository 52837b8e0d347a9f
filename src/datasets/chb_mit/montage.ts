/** Reconciles the channels of CHB-MIT's recordings, which change between and within people, by name. */

/** Bipolar channels that all but three of the 686 recordings have as they are (“double banana”). */
export const CHB_MIT_CHANNELS: readonly string[] =
  'FP1-F7 F7-T7 T7-P7 P7-O1 FP1-F3 F3-C3 C3-P3 P3-O1 FP2-F4 F4-C4 C4-P4 P4-O2 FP2-F8 F8-T8 T8-P8 P8-O2 FZ-CZ CZ-PZ'.split(
    ' ',
  );

/** A wanted channel as signal `plus` minus signal `minus`, by their numbers in the recording; an absent one counts as 0. */
export interface ChannelSource {
  readonly name: string;
  readonly plus?: number;
  readonly minus?: number;
}

export type Reconciliation =
  | { readonly ok: true; readonly channels: readonly ChannelSource[] }
  | { readonly ok: false; readonly missing: readonly string[] };

/**
 * Finds each wanted bipolar channel among the labels of a recording: under its name, turned round (`P7-T7`), or as the
 * difference of two electrodes with the same reference (`FP1-Ref` and `F7-Ref`, `FP1` and `F7`). Of labels that come
 * twice, as `T8-P8` does, the first is taken. Two channels are the same electrodes only where their names say so.
 */
export function reconcileChannels(labels: readonly string[], wanted: readonly string[]): Reconciliation {
  const numbers = new Map<string, number>();
  for (const [i, label] of labels.entries()) {
    const name = normalChannel(label);
    if (!numbers.has(name)) numbers.set(name, i);
  }
  const missing: string[] = [];
  const channels: ChannelSource[] = [];
  for (const name of wanted) {
    const source = find(normalChannel(name), numbers);
    if (source === undefined) missing.push(name);
    else channels.push({ name, ...source });
  }
  return missing.length === 0 ? { ok: true, channels } : { ok: false, missing };
}

/** In capitals, without blanks and a leading `EEG`; the digits `01` and `02` that stand for O1 and O2 mended. */
function normalChannel(label: string): string {
  return label
    .trim()
    .toUpperCase()
    .replace(/^EEG\s+/, '')
    .split('-')
    .map((electrode) => electrode.trim().replace(/^0([12])$/, 'O$1'))
    .join('-');
}

function find(
  name: string,
  numbers: ReadonlyMap<string, number>,
): { plus?: number; minus?: number } | undefined {
  const same = numbers.get(name);
  if (same !== undefined) return { plus: same };
  const [first, second, more] = name.split('-');
  if (first === undefined || second === undefined || more !== undefined) return undefined;
  const turned = numbers.get(`${second}-${first}`);
  if (turned !== undefined) return { minus: turned };
  for (const reference of ['', '-REF', '-CS2', '-AVG']) {
    const plus = numbers.get(first + reference);
    const minus = numbers.get(second + reference);
    if (plus !== undefined && minus !== undefined) return { plus, minus };
  }
  return undefined;
}
