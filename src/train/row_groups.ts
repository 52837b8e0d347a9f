/** Which groups (subjects, identities, images) each row belongs to: what intervals resample and tables are by. */

/** Row i belongs to the groups `members[starts[i]] … members[starts[i + 1] − 1]`, each once. */
export interface RowGroups {
  /** In the order in which they first occur. */
  readonly names: readonly string[];
  readonly starts: Uint32Array;
  readonly members: Uint32Array;
}

/**
 * One list of names for each row: the subject of a window, the identities in a triplet. A name that a list has twice
 * counts once: two pictures of one person are no two people. @throws RangeError for a row without a group.
 */
export function rowGroups(rows: Iterable<readonly string[]>): RowGroups {
  const numbers = new Map<string, number>();
  const starts = [0];
  const members: number[] = [];
  for (const names of rows) {
    if (names.length === 0) throw new RangeError(`row ${starts.length - 1} belongs to no group`);
    for (const name of new Set(names)) {
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      members.push(number);
    }
    starts.push(members.length);
  }
  return { names: [...numbers.keys()], starts: Uint32Array.from(starts), members: Uint32Array.from(members) };
}
