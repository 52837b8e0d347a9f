/** Decodes one header block of a tar (ustar, pax, GNU and older), and the records and names that long headers hold. */

/** What a header block says, before long headers have changed it. */
export interface TarBlock {
  readonly name: string;
  /** In the words of tar-stream; null for a type that nobody knows. */
  readonly type: TarBlockType | null;
  /** Not a number, or negative, where the field is garbage. */
  readonly bytes: number;
}

export type TarBlockType = (typeof TYPES)[keyof typeof TYPES];

/** By the type's character (POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"). */
const TYPES = {
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'contiguous-file',
  x: 'pax-header',
  g: 'pax-global-header',
  K: 'gnu-long-link-path',
  L: 'gnu-long-path',
  N: 'gnu-long-path',
} as const;

/** Undefined for a block of zeros, whatever its checksum. @throws Error where the block is no header: its checksum is wrong. */
export function decodeTarBlock(block: Buffer): TarBlock | undefined {
  let sum = BLANKS_FOR_CHECKSUM;
  for (let i = 0; i < 148; i++) sum += block[i] as number;
  for (let i = 156; i < 512; i++) sum += block[i] as number;
  if (sum === BLANKS_FOR_CHECKSUM) return undefined;
  if (sum !== numberAt(block, 148, 8))
    throw new Error('a tar header is expected here, and its checksum is wrong');
  const flag = block[156] === 0 ? '0' : String.fromCharCode(block[156] as number);
  const type = Object.hasOwn(TYPES, flag) ? TYPES[flag as keyof typeof TYPES] : null;
  let name = textAt(block, 0, 100);
  if (block.subarray(257, 263).equals(POSIX_MAGIC) && block[345] !== 0)
    name = `${textAt(block, 345, 155)}/${name}`;
  return { name, type, bytes: numberAt(block, 124, 12) };
}

/** The name in the contents of a GNU long name: up to its first NUL. */
export function decodeLongName(contents: Buffer): string {
  return textAt(contents, 0, contents.length);
}

/** The records of a pax header, "<length> <key>=<value>\n" each; what follows a broken one is left out. */
export function decodePaxRecords(contents: Buffer): Record<string, string> {
  const records: Record<string, string> = Object.create(null);
  for (let at = 0; at < contents.length; ) {
    const blank = contents.indexOf(0x20, at);
    if (blank < 0) break;
    const bytes = Number.parseInt(contents.toString('latin1', at, blank), 10);
    if (!(bytes > 0)) break;
    const record = contents.toString('utf8', blank + 1, at + bytes - 1);
    const equals = record.indexOf('=');
    if (equals < 0) break;
    records[record.slice(0, equals)] = record.slice(equals + 1);
    at += bytes;
  }
  return records;
}

/** The field of the checksum itself counts as eight blanks. */
const BLANKS_FOR_CHECKSUM = 8 * 32;

const POSIX_MAGIC = Buffer.from('ustar\0');

function textAt(block: Buffer, start: number, bytes: number): string {
  const end = block.subarray(start, start + bytes).indexOf(0);
  return block.toString('utf8', start, start + (end < 0 ? bytes : end));
}

/** Octal digits after blanks, or base 256 where the first bit is set (GNU tar manual, "Basic Tar Format"). */
function numberAt(block: Buffer, start: number, bytes: number): number {
  const first = block[start] as number;
  if ((first & 0x80) !== 0) {
    if (first !== 0x80) return Number.NaN;
    let value = 0;
    for (let i = 1; i < bytes; i++) value = value * 256 + (block[start + i] as number);
    return value;
  }
  let at = start;
  const end = start + bytes;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  if (at === end) return 0;
  const digits = at;
  let value = 0;
  for (; at < end && (block[at] as number) >= 0x30 && (block[at] as number) <= 0x37; at++)
    value = value * 8 + (block[at] as number) - 0x30;
  return at === digits ? Number.NaN : value;
}
