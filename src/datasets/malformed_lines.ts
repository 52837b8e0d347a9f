/** Counts lines that do not follow a format and keeps the first few, so that none is dropped without a word. */

export interface MalformedLine {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

/** Enough to see what is wrong; a file of which every line is wrong must not fill the memory. */
const KEPT = 20;

/** The malformed lines of one file. */
export class MalformedLines {
  readonly path: string;
  readonly first: MalformedLine[] = [];
  count = 0;

  constructor(path: string) {
    this.path = path;
  }

  add(line: number, reason: string): void {
    this.count++;
    if (this.first.length < KEPT) this.first.push({ line, reason });
  }

  /** A sentence for the person; undefined where every line is well-formed. */
  sentence(): string | undefined {
    const [first] = this.first;
    if (first === undefined) return undefined;
    const example = `line ${first.line}: ${first.reason}`;
    return this.count === 1
      ? `a line of ${this.path} is malformed and not used: ${example}`
      : `${this.count} lines of ${this.path} are malformed and not used, the first is ${example}`;
  }
}

/** A field for a sentence: quoted, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
