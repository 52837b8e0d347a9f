/** VGGFace2 as Problems see it: identities and their pictures, 3.3 million of them in a few dozen megabytes. */

import { countShared, KeyList, lowerBound } from '../key_list.js';
import { fileName, identityId, identityNumber, pictureKey } from './picture_name.js';

export type VggFace2Part = 'train' | 'test';

export const VGGFACE2_PARTS: readonly VggFace2Part[] = ['train', 'test'];

/** A person of the set. */
export interface Identity {
  /** `n000001`. */
  readonly id: string;
  /** As in identity_meta.csv, e.g. `14th_Dalai_Lama`. */
  readonly name?: string;
  readonly gender?: 'm' | 'f';
  readonly images: IdentityImages;
}

/** The pictures of one identity, in the order of photograph and face; those named in another way come last. */
export interface IdentityImages {
  readonly length: number;
  /** For each picture the number of its photograph: equal numbers are crops of one photograph. */
  readonly photographs: Uint32Array;
  /** The file's name, `n000001/0012_03.jpg`. @throws RangeError beyond the last. */
  name(i: number): string;
}

/** The opened dataset. */
export interface VggFace2Source {
  /** Sorted by id; only identities of which at least one picture is there. */
  identities(part: VggFace2Part): readonly Identity[];
}

/** The names of some pictures, in any order, and the part that the place they lie in speaks of. */
export interface PictureListing {
  readonly names: Iterable<string>;
  readonly part?: VggFace2Part;
}

/** What is known of identities and pictures apart from the files themselves. */
export interface VggFace2Lists {
  readonly meta?: readonly {
    readonly id: string;
    readonly name: string;
    readonly part: VggFace2Part;
    readonly samples: number;
    readonly gender?: 'm' | 'f';
  }[];
  /** Keys of train_list.txt and test_list.txt, ascending. */
  readonly listed?: Readonly<Partial<Record<VggFace2Part, Float64Array>>>;
  /** Takes a sentence for each thing that does not fit together. */
  readonly note?: (text: string) => void;
}

/**
 * Orders pictures by identity and splits them. To which part an identity belongs is told by identity_meta.csv, else by
 * the lists, else by the place in which its first picture lies; where nothing tells, it is train, with a note. Names
 * that are no picture of an identity (`n000001/….jpg`) are counted in a note. A name that comes twice counts once.
 */
export function vggFace2Source(
  listings: readonly PictureListing[],
  lists: VggFace2Lists = {},
): VggFace2Source {
  const gathered = gather(listings);
  const keys = gathered.keys.sortedUnique();
  const note = lists.note ?? (() => {});
  const parts = partsOf(gathered, lists, note);
  const meta = new Map(lists.meta?.map((row) => [row.id, row]));
  const identities: Record<VggFace2Part, Identity[]> = { train: [], test: [] };
  for (const number of gathered.partOf.keys()) {
    const id = identityId(number);
    const row = meta.get(id);
    const first = lowerBound(keys, number * 2 ** 32);
    const last = lowerBound(keys, (number + 1) * 2 ** 32);
    // Uint32Array.from takes each value modulo 2³², which is the part of the key below the identity.
    const codes = Uint32Array.from(keys.subarray(first, last));
    const odd = [...(gathered.odd.get(number) ?? [])].sort();
    identities[parts.get(number) as VggFace2Part].push({
      id,
      ...(row === undefined ? {} : { name: row.name }),
      ...(row?.gender === undefined ? {} : { gender: row.gender }),
      images: new NumberedImages(id, codes, odd),
    });
  }
  for (const part of VGGFACE2_PARTS) identities[part].sort((a, b) => (a.id < b.id ? -1 : 1));
  compareWithMeta(identities, lists, note);
  compareWithLists(keys, lists, note);
  if (gathered.odd.size > 0 || gathered.passedOver > 0) noteOddNames(gathered, note);
  return { identities: (part) => identities[part] };
}

class NumberedImages implements IdentityImages {
  readonly length: number;
  readonly photographs: Uint32Array;
  readonly #id: string;
  readonly #codes: Uint32Array;
  readonly #odd: readonly string[];

  constructor(id: string, codes: Uint32Array, odd: readonly string[]) {
    this.#id = id;
    this.#codes = codes;
    this.#odd = odd;
    this.length = codes.length + odd.length;
    this.photographs = new Uint32Array(this.length);
    for (let i = 0; i < codes.length; i++) this.photographs[i] = (codes[i] as number) >>> 10;
    for (const [i, file] of odd.entries())
      this.photographs[codes.length + i] = photographOf(file) ?? FIRST_FREE_PHOTOGRAPH + i;
  }

  name(i: number): string {
    return `${this.#id}/${this.#file(i)}`;
  }

  #file(i: number): string {
    const code = this.#codes[i];
    if (code !== undefined) return fileName(code);
    const odd = this.#odd[i - this.#codes.length];
    if (odd === undefined) throw new RangeError(`image ${i} of ${this.#id}, which has ${this.length}`);
    return odd;
  }
}

/** Beyond all numbers of 22 bits: what has no number is taken as a photograph of its own. */
const FIRST_FREE_PHOTOGRAPH = 2 ** 22;

/** `0001_01.png` is of photograph 1. */
function photographOf(file: string): number | undefined {
  const [, digits] = /^(\d{1,6})_\d+\.[a-z]+$/i.exec(file) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

interface Gathered {
  readonly keys: KeyList;
  /** Files named in another way, by identity, without its folder. */
  readonly odd: Map<number, Set<string>>;
  /** The identities that are there, with the part of the place where the first picture lies. */
  readonly partOf: Map<number, VggFace2Part | undefined>;
  passedOver: number;
}

function gather(listings: readonly PictureListing[]): Gathered {
  const gathered: Gathered = { keys: new KeyList(), odd: new Map(), partOf: new Map(), passedOver: 0 };
  for (const { names, part } of listings) {
    let last = -1;
    for (const name of names) {
      const key = name.endsWith('.jpg') ? pictureKey(name) : undefined;
      let identity: number | undefined;
      if (key !== undefined) {
        gathered.keys.push(key);
        identity = Math.floor(key / 2 ** 32);
      } else identity = addOdd(gathered, name);
      if (identity === undefined || identity === last) continue;
      last = identity;
      if (gathered.partOf.get(identity) === undefined) gathered.partOf.set(identity, part);
    }
  }
  return gathered;
}

function addOdd(gathered: Gathered, name: string): number | undefined {
  const identity = name[7] === '/' ? identityNumber(name.slice(0, 7)) : undefined;
  const file = name.slice(8);
  if (identity === undefined || file === '' || file.includes('/')) {
    gathered.passedOver++;
    return undefined;
  }
  const odd = gathered.odd.get(identity) ?? new Set();
  gathered.odd.set(identity, odd.add(file));
  return identity;
}

function partsOf(
  { partOf }: Gathered,
  { meta, listed }: VggFace2Lists,
  note: (text: string) => void,
): Map<number, VggFace2Part> {
  const told = new Map<number, VggFace2Part>();
  for (const part of VGGFACE2_PARTS) for (const id of identitiesOf(listed?.[part])) told.set(id, part);
  for (const row of meta ?? []) told.set(identityNumber(row.id) as number, row.part);
  const parts = new Map<number, VggFace2Part>();
  let elsewhere = 0;
  let unknown = 0;
  for (const [id, place] of partOf) {
    const by = told.get(id);
    if (by !== undefined && place !== undefined && by !== place) elsewhere++;
    if (by === undefined && place === undefined) unknown++;
    parts.set(id, by ?? place ?? 'train');
  }
  if (elsewhere > 0)
    note(
      `${elsewhere} identities lie in a folder or archive of the other part than identity_meta.csv or the lists say: these are followed`,
    );
  if (unknown > 0)
    note(
      `of ${unknown} identities neither identity_meta.csv, the lists nor a folder named train or test tells the part: they are taken as train`,
    );
  return parts;
}

function identitiesOf(keys: Float64Array = new Float64Array()): Set<number> {
  const ids = new Set<number>();
  for (let i = 0; i < keys.length; ) {
    const id = Math.floor((keys[i] as number) / 2 ** 32);
    ids.add(id);
    i = lowerBound(keys, (id + 1) * 2 ** 32);
  }
  return ids;
}

function compareWithMeta(
  identities: Readonly<Record<VggFace2Part, readonly Identity[]>>,
  { meta }: VggFace2Lists,
  note: (text: string) => void,
): void {
  if (meta === undefined) return;
  const found = new Map([...identities.train, ...identities.test].map(({ id, images }) => [id, images]));
  const absent = meta.filter(({ id }) => !found.has(id)).length;
  const differing = meta.filter(({ id, samples }) => (found.get(id)?.length ?? samples) !== samples).length;
  const known = new Set(meta.map(({ id }) => id));
  const unknown = [...found.keys()].filter((id) => !known.has(id)).length;
  if (absent > 0)
    note(`of ${absent} of the ${meta.length} identities of identity_meta.csv no picture is there`);
  if (differing > 0)
    note(`of ${differing} identities another number of pictures is there than identity_meta.csv counts`);
  if (unknown > 0) note(`${unknown} identities are there that identity_meta.csv does not have`);
}

function compareWithLists(
  keys: Float64Array,
  { listed = {} }: VggFace2Lists,
  note: (text: string) => void,
): void {
  for (const part of VGGFACE2_PARTS) {
    const list = listed[part];
    if (list === undefined) continue;
    const present = countShared(keys, list);
    if (present < list.length)
      note(`${list.length - present} of the ${list.length} pictures of ${part}_list.txt are not there`);
  }
  if (listed.train === undefined || listed.test === undefined) return;
  const extra = keys.length - countShared(keys, listed.train) - countShared(keys, listed.test);
  if (extra > 0) note(`${extra} pictures are there that are in neither list`);
}

function noteOddNames({ odd, passedOver }: Gathered, note: (text: string) => void): void {
  let count = 0;
  for (const files of odd.values()) count += files.size;
  if (count > 0)
    note(`${count} pictures are not named as VGGFace2 names its own (n000001/0001_01.jpg): they are kept`);
  if (passedOver > 0)
    note(`${passedOver} pictures lie outside the folders of identities (n000001/…): they are passed over`);
}
