/** Power spectra by Welch's method, over a small FFT: enough for windows of EEG. */

/** Power by frequency: `density[i]` is that at i × `step` Hz, in units² ⁄ Hz. */
export interface PowerSpectrum {
  readonly density: Float64Array;
  /** Hz between two values. */
  readonly step: number;
}

/**
 * One-sided power density by averaging over segments that overlap by half, each less its mean and under a Hann window
 * (Welch, IEEE Transactions on Audio and Electroacoustics 15, 1967). The same as SciPy's `signal.welch` with `nfft` the next
 * power of two. A signal shorter than a segment is one segment.
 * @throws RangeError for fewer than two samples.
 */
export function welch(
  signal: ArrayLike<number>,
  samplingRate: number,
  segmentSamples: number,
): PowerSpectrum {
  const length = Math.min(Math.round(segmentSamples), signal.length);
  if (!(length >= 2)) throw new RangeError(`a spectrum of ${length} samples`);
  const size = 2 ** Math.ceil(Math.log2(length));
  // Periodic, as for spectra; the symmetric form is for filters.
  const window = Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
  const scale = 1 / (samplingRate * window.reduce((sum, value) => sum + value ** 2, 0));
  const density = new Float64Array(size / 2 + 1);
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  const step = length - Math.floor(length / 2);
  let segments = 0;
  for (let start = 0; start + length <= signal.length; start += step) {
    let mean = 0;
    for (let i = 0; i < length; i++) mean += signal[start + i]! / length;
    real.fill(0);
    imaginary.fill(0);
    for (let i = 0; i < length; i++) real[i] = (signal[start + i]! - mean) * window[i]!;
    fft(real, imaginary);
    for (let i = 0; i < density.length; i++) {
      // What is at a negative frequency goes to the positive one; 0 and half the rate have no other.
      const sides = i === 0 || i === size / 2 ? 1 : 2;
      density[i]! += sides * scale * (real[i]! ** 2 + imaginary[i]! ** 2);
    }
    segments += 1;
  }
  return { density: density.map((sum) => sum / segments), step: samplingRate / size };
}

/**
 * The discrete Fourier transform Σ x[n] e^(−2πikn/N), in place. By Cooley and Tukey (Mathematics of Computation 19, 1965),
 * radix 2. @throws RangeError where the length is no power of two.
 */
export function fft(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  if (size !== imaginary.length || size === 0 || (size & (size - 1)) !== 0)
    throw new RangeError(`a transform of ${size} values: a power of two is wanted`);
  reverseBits(real);
  reverseBits(imaginary);
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const angle = (-Math.PI * k) / half;
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
      for (let even = k; even < size; even += 2 * half) {
        const odd = even + half;
        const re = real[odd]! * cosine - imaginary[odd]! * sine;
        const im = real[odd]! * sine + imaginary[odd]! * cosine;
        real[odd] = real[even]! - re;
        imaginary[odd] = imaginary[even]! - im;
        real[even]! += re;
        imaginary[even]! += im;
      }
    }
  }
}

/** Puts each value where its index, read backwards in binary, points. */
function reverseBits(values: Float64Array): void {
  for (let i = 1, j = 0; i < values.length; i++) {
    let bit = values.length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i >= j) continue;
    const swapped = values[i]!;
    values[i] = values[j]!;
    values[j] = swapped;
  }
}
