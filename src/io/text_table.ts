/** Numbers texts in the order in which they first come, in a third of the memory of a `Map`: millions of addresses fit. */

/** Texts lie one behind another in pages of this size, so that growing copies none of them. */
const PAGE_BYTES = 1 << 20;

/** What stands in a slot without a text. */
const NO_TEXT = 0xffffffff;

/**
 * A hash table of texts with open addressing. ASCII texts, which addresses and paths are, cost their length and some
 * 16 to 24 bytes; others are kept as strings.
 */
export class TextTable {
  private count = 0;
  private readonly pages: Uint8Array[] = [];
  /** Bytes of the last page. */
  private pageUsed = 0;
  /** Of text n: its page, where it starts there, its length, its hash. */
  private places = new Uint32Array(1024);
  private hashes = new Uint32Array(256);
  /** Text numbers at the places that their hashes name, or behind; never more than half full. */
  private slots = new Uint32Array(1024).fill(NO_TEXT);
  private readonly others = new Map<string, number>();
  private readonly otherTexts = new Map<number, string>();

  /** How many different texts there are. */
  get size(): number {
    return this.count;
  }

  /** The number of a text, a new one where it was not there. */
  number(text: string): number {
    const hash = asciiHash(text);
    if (hash === undefined) return this.otherNumber(text);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const number = this.slots[slot] as number;
      if (number === NO_TEXT) break;
      if (this.hashes[number] === hash && this.holds(number, text)) return number;
      slot = (slot + 1) & mask;
    }
    const number = this.append(hash);
    this.store(number, text);
    this.slots[slot] = number;
    if (this.count * 2 > this.slots.length) this.growSlots();
    return number;
  }

  /** The text of a number from 0 to size − 1. */
  text(number: number): string {
    if (!(number >= 0 && number < this.count)) throw new RangeError(`text ${number} of ${this.count}`);
    const other = this.otherTexts.get(number);
    if (other !== undefined) return other;
    const start = this.places[3 * number + 1] as number;
    const page = this.pages[this.places[3 * number] as number] as Uint8Array;
    return Buffer.from(page.buffer, start, this.places[3 * number + 2]).toString('latin1');
  }

  private otherNumber(text: string): number {
    const known = this.others.get(text);
    if (known !== undefined) return known;
    const number = this.append(0);
    this.others.set(text, number);
    this.otherTexts.set(number, text);
    return number;
  }

  private holds(number: number, text: string): boolean {
    if (this.places[3 * number + 2] !== text.length) return false;
    const page = this.pages[this.places[3 * number] as number] as Uint8Array;
    const start = this.places[3 * number + 1] as number;
    for (let i = 0; i < text.length; i++) if (page[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  private append(hash: number): number {
    if (this.count === this.hashes.length) {
      this.hashes = grown(this.hashes);
      this.places = grown(this.places);
    }
    this.hashes[this.count] = hash;
    return this.count++;
  }

  private store(number: number, text: string): void {
    if (this.pages.length === 0 || this.pageUsed + text.length > PAGE_BYTES) {
      this.pages.push(new Uint8Array(Math.max(PAGE_BYTES, text.length)));
      this.pageUsed = 0;
    }
    const page = this.pages[this.pages.length - 1] as Uint8Array;
    for (let i = 0; i < text.length; i++) page[this.pageUsed + i] = text.charCodeAt(i);
    this.places[3 * number] = this.pages.length - 1;
    this.places[3 * number + 1] = this.pageUsed;
    this.places[3 * number + 2] = text.length;
    this.pageUsed += text.length;
  }

  private growSlots(): void {
    this.slots = new Uint32Array(this.slots.length * 2).fill(NO_TEXT);
    const mask = this.slots.length - 1;
    for (let number = 0; number < this.count; number++) {
      if (this.otherTexts.has(number)) continue;
      let slot = (this.hashes[number] as number) & mask;
      while (this.slots[slot] !== NO_TEXT) slot = (slot + 1) & mask;
      this.slots[slot] = number;
    }
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** 32 bits of FNV-1a, their bits mixed at the end as in MurmurHash3; undefined where a character is not ASCII. */
function asciiHash(text: string): number | undefined {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
