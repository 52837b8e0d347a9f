/** Numbers texts in the order in which they first come, in a third of the memory of a `Map`: millions of addresses fit. */

/** Entries lie one behind another in pages of this many 32-bit words (1 MiB), so that growing copies none of them. */
const PAGE_WORDS = 1 << 18;

/** Before an entry's text stand its number and its length. */
const HEAD_WORDS = 2;

/** Longer texts are kept as strings: what is worth packing is short. */
const MAX_PACKED = 1 << 16;

/** Where nothing stands. No entry has this place: it would begin in the last word of the last page there can be. */
const NOWHERE = 0xffffffff;

/**
 * A hash table of texts with open addressing. A short ASCII text, which addresses and paths are, costs its length and
 * some 30 to 45 bytes; others are kept as strings. A look-up touches memory in two places, the slot and the entry, since
 * in a table of millions each touch waits for the memory.
 */
export class TextTable {
  private count = 0;
  private readonly pages: Uint32Array[] = [];
  private readonly pageBytes: Uint8Array[] = [];
  /** First free word of the last page. */
  private free = PAGE_WORDS;
  /** Of each number the place of its entry: page × PAGE_WORDS + word. NOWHERE for texts kept as strings. */
  private places = new Uint32Array(256);
  /** A hash and the place of its entry, at the slot that the hash names or behind; never more than half full. */
  private slots = new Uint32Array(1024).fill(NOWHERE);
  private readonly others = new Map<string, number>();
  private readonly otherTexts = new Map<number, string>();

  /** How many different texts there are. */
  get size(): number {
    return this.count;
  }

  /** The number of a text, a new one where it was not there. */
  number(text: string): number {
    const hash = packedHash(text);
    if (hash === undefined) return this.otherNumber(text);
    const mask = this.slots.length / 2 - 1;
    let slot = hash & mask;
    for (;;) {
      const place = this.slots[2 * slot + 1] as number;
      if (place === NOWHERE) break;
      if (this.slots[2 * slot] === hash && this.holds(place, text))
        return (this.pages[Math.floor(place / PAGE_WORDS)] as Uint32Array)[place % PAGE_WORDS] as number;
      slot = (slot + 1) & mask;
    }
    const place = this.store(text);
    this.slots[2 * slot] = hash;
    this.slots[2 * slot + 1] = place;
    // Texts kept as strings are counted too, which only makes it grow a little early.
    if (this.count * 4 > this.slots.length) this.growSlots();
    return this.append(place);
  }

  /** The text of a number from 0 to size − 1. */
  text(number: number): string {
    if (!(number >= 0 && number < this.count)) throw new RangeError(`text ${number} of ${this.count}`);
    const place = this.places[number] as number;
    if (place === NOWHERE) return this.otherTexts.get(number) as string;
    const page = Math.floor(place / PAGE_WORDS);
    const word = place % PAGE_WORDS;
    const length = (this.pages[page] as Uint32Array)[word + 1] as number;
    const { buffer } = this.pageBytes[page] as Uint8Array;
    return Buffer.from(buffer, (word + HEAD_WORDS) * 4, length).toString('latin1');
  }

  private otherNumber(text: string): number {
    const known = this.others.get(text);
    if (known !== undefined) return known;
    this.others.set(text, this.count);
    this.otherTexts.set(this.count, text);
    return this.append(NOWHERE);
  }

  private holds(place: number, text: string): boolean {
    const page = Math.floor(place / PAGE_WORDS);
    const word = place % PAGE_WORDS;
    if ((this.pages[page] as Uint32Array)[word + 1] !== text.length) return false;
    const bytes = this.pageBytes[page] as Uint8Array;
    const start = (word + HEAD_WORDS) * 4;
    for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  private append(place: number): number {
    if (this.count === this.places.length) {
      const larger = new Uint32Array(this.places.length * 2);
      larger.set(this.places);
      this.places = larger;
    }
    this.places[this.count] = place;
    return this.count++;
  }

  /** Writes the entry of the next number. */
  private store(text: string): number {
    const words = HEAD_WORDS + Math.ceil(text.length / 4);
    if (this.free + words > PAGE_WORDS) {
      const page = new Uint32Array(PAGE_WORDS);
      this.pages.push(page);
      this.pageBytes.push(new Uint8Array(page.buffer));
      this.free = 0;
    }
    const last = this.pages.length - 1;
    const page = this.pages[last] as Uint32Array;
    const bytes = this.pageBytes[last] as Uint8Array;
    const word = this.free;
    page[word] = this.count;
    page[word + 1] = text.length;
    const start = (word + HEAD_WORDS) * 4;
    for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i);
    this.free += words;
    return last * PAGE_WORDS + word;
  }

  private growSlots(): void {
    const { slots } = this;
    this.slots = new Uint32Array(slots.length * 2).fill(NOWHERE);
    const mask = this.slots.length / 2 - 1;
    for (let old = 0; old < slots.length; old += 2) {
      if (slots[old + 1] === NOWHERE) continue;
      let slot = (slots[old] as number) & mask;
      while (this.slots[2 * slot + 1] !== NOWHERE) slot = (slot + 1) & mask;
      this.slots[2 * slot] = slots[old] as number;
      this.slots[2 * slot + 1] = slots[old + 1] as number;
    }
  }
}

/** 32 bits of FNV-1a, their bits mixed at the end as in MurmurHash3; undefined for a text that is not packed. */
function packedHash(text: string): number | undefined {
  if (text.length > MAX_PACKED) return undefined;
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
