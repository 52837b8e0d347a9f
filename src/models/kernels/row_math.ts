/**
 * The innermost loops of the kernels, over a row of channels. They stand alone, each called with arrays of one kind only
 * and four numbers at a time: V8 compiles them to a quarter of the time that the same loops take inside a kernel.
 */

/** to[atTo + i] += a[atA + i] · b[atB + i], in double precision. */
export function addProducts(
  to: Float64Array,
  atTo: number,
  a: Float32Array,
  atA: number,
  b: Float32Array,
  atB: number,
  count: number,
): void {
  const rest = count & 3;
  let i = 0;
  for (; i < count - rest; i += 4) {
    to[atTo + i]! += a[atA + i]! * b[atB + i]!;
    to[atTo + i + 1]! += a[atA + i + 1]! * b[atB + i + 1]!;
    to[atTo + i + 2]! += a[atA + i + 2]! * b[atB + i + 2]!;
    to[atTo + i + 3]! += a[atA + i + 3]! * b[atB + i + 3]!;
  }
  for (; i < count; i++) to[atTo + i]! += a[atA + i]! * b[atB + i]!;
}

/** The same into an array of single precision. */
export function addProductsInSingle(
  to: Float32Array,
  atTo: number,
  a: Float32Array,
  atA: number,
  b: Float32Array,
  atB: number,
  count: number,
): void {
  const rest = count & 3;
  let i = 0;
  for (; i < count - rest; i += 4) {
    to[atTo + i]! += a[atA + i]! * b[atB + i]!;
    to[atTo + i + 1]! += a[atA + i + 1]! * b[atB + i + 1]!;
    to[atTo + i + 2]! += a[atA + i + 2]! * b[atB + i + 2]!;
    to[atTo + i + 3]! += a[atA + i + 3]! * b[atB + i + 3]!;
  }
  for (; i < count; i++) to[atTo + i]! += a[atA + i]! * b[atB + i]!;
}

/** sums[i] += x[at + i] and squares[i] += x[at + i]², for `sums.length` numbers. */
export function addMoments(sums: Float64Array, squares: Float64Array, x: Float32Array, at: number): void {
  const count = sums.length;
  for (let i = 0; i < count; i++) {
    const value = x[at + i]!;
    sums[i]! += value;
    squares[i]! += value * value;
  }
}

/** sums[i] += a[at + i] and products[i] += a[at + i] · (b[at + i] − centre[i]). */
export function addCoMoments(
  sums: Float64Array,
  products: Float64Array,
  a: Float32Array,
  b: Float32Array,
  centre: Float32Array,
  at: number,
): void {
  const count = sums.length;
  for (let i = 0; i < count; i++) {
    const value = a[at + i]!;
    sums[i]! += value;
    products[i]! += value * (b[at + i]! - centre[i]!);
  }
}

/** to[at + i] = slope[i] · x[at + i] + shift[i]. */
export function scaleRow(
  to: Float32Array,
  x: Float32Array,
  slope: Float64Array,
  shift: Float64Array,
  at: number,
): void {
  const count = slope.length;
  for (let i = 0; i < count; i++) to[at + i] = slope[i]! * x[at + i]! + shift[i]!;
}

/** to[at + i] += tilt[i] · x[at + i]. */
export function addScaledRow(to: Float32Array, x: Float32Array, tilt: Float64Array, at: number): void {
  const count = tilt.length;
  for (let i = 0; i < count; i++) to[at + i]! += tilt[i]! * x[at + i]!;
}
