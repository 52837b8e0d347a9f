/** Shares the missing bytes of a file out among connections: whoever has nothing takes half of what is most. */

/** Bytes [position, end) that one connection is to fetch; `end` comes nearer when another takes the rest over. */
export class Stretch {
  /** Of the next byte that is wanted; what lies before it in the same piece is held in memory. */
  position: number;
  end: number;
  private readonly pieceBytes: number;
  private piece: Buffer | undefined;

  /** `start` is the beginning of a piece. */
  constructor(start: number, end: number, pieceBytes: number) {
    this.position = start;
    this.end = end;
    this.pieceBytes = pieceBytes;
  }

  /** Where the next piece begins that is not being filled. */
  get nextPiece(): number {
    return Math.ceil(this.position / this.pieceBytes) * this.pieceBytes;
  }

  /** Takes bytes that follow; hands on each piece that becomes whole. `bytes` must not reach past `end`. */
  fill(bytes: Buffer, onPiece: (start: number, bytes: Buffer) => void): void {
    for (let offset = 0; offset < bytes.length; ) {
      const start = Math.floor(this.position / this.pieceBytes) * this.pieceBytes;
      this.piece ??= Buffer.allocUnsafe(this.pieceBytes);
      const wanted = Math.min(this.pieceBytes, this.end - start);
      const copied = bytes.copy(
        this.piece,
        this.position - start,
        offset,
        offset + start + wanted - this.position,
      );
      offset += copied;
      this.position += copied;
      if (this.position === start + wanted) onPiece(start, this.piece.subarray(0, wanted));
    }
  }
}

/** All stretches that are still wanted. */
export class Stretches {
  private readonly pieceBytes: number;
  private readonly idle: Stretch[];
  private readonly taken = new Set<Stretch>();

  constructor(missing: readonly { readonly start: number; readonly end: number }[], pieceBytes: number) {
    this.pieceBytes = pieceBytes;
    this.idle = missing.map(({ start, end }) => new Stretch(start, end, pieceBytes));
  }

  /** True where nothing is wanted any more, also of those who are at work. */
  get isEmpty(): boolean {
    return this.idle.length === 0 && this.taken.size === 0;
  }

  /** True where somebody is at work. */
  get isWorkedOn(): boolean {
    return this.taken.size > 0;
  }

  /** The longest stretch that nobody has, or the second half of the longest that somebody has; undefined where none is worth it. */
  take(): Stretch | undefined {
    const longest = longestOf(this.idle);
    if (longest !== undefined) {
      this.idle.splice(this.idle.indexOf(longest), 1);
      this.taken.add(longest);
      return longest;
    }
    const victim = longestOf([...this.taken]);
    // The length of the file may not be known yet; and half a piece is not worth a connection.
    if (victim === undefined || victim.end === Number.POSITIVE_INFINITY) return undefined;
    const pieces = Math.floor((victim.end - victim.nextPiece) / this.pieceBytes / 2);
    const whole = Math.ceil(victim.end / this.pieceBytes) - pieces;
    const start = whole * this.pieceBytes;
    if (pieces < 1 || start >= victim.end || start <= victim.position) return undefined;
    const stretch = new Stretch(start, victim.end, this.pieceBytes);
    victim.end = start;
    this.taken.add(stretch);
    return stretch;
  }

  /** Ends the work on a stretch; what is left of it is for others. */
  giveBack(stretch: Stretch): void {
    this.taken.delete(stretch);
    if (stretch.position < stretch.end) this.idle.push(stretch);
  }

  /** The length of the file has become known. */
  limit(totalBytes: number): void {
    for (const stretch of [...this.idle, ...this.taken]) stretch.end = Math.min(stretch.end, totalBytes);
  }
}

function longestOf(stretches: readonly Stretch[]): Stretch | undefined {
  let longest: Stretch | undefined;
  for (const stretch of stretches)
    if (longest === undefined || stretch.end - stretch.position > longest.end - longest.position)
      longest = stretch;
  return longest;
}
