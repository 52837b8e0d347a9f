/** Decodes stored pictures to pixels: JPEGs by libjpeg-turbo in WebAssembly, which costs a third of a call of sharp's; the rest by sharp. */

import { createRequire } from 'node:module';
import sharp from 'sharp';
import { UserError } from '../io/errors.js';
import type { ImageFormat } from '../io/features.js';
import { readJpegHeader } from '../io/jpeg_header.js';
import type { Tensor } from '../problems/decoded.js';

/** What of `@cornerstonejs/codec-libjpeg-turbo-8bit` is used; it has no types. */
interface TurboModule {
  readonly JPEGDecoder: new () => TurboDecoder;
}

interface TurboDecoder {
  /** Memory of the module, for a file of that many bytes. */
  getEncodedBuffer(bytes: number): Uint8Array;
  decode(): void;
  /** A view of the module's memory; it holds until the next call. */
  getDecodedBuffer(): Uint8Array;
}

/** Larger pictures are left to sharp: the module's memory grows and never shrinks. */
const MAX_TURBO_PIXELS = 1 << 22;

/** One for a thread. Both decoders give the same pixels: libjpeg's accurate transform and smooth upsampling. */
export class ImageDecoder {
  private turbo: TurboDecoder | undefined;

  static async open(): Promise<ImageDecoder> {
    const decoder = new ImageDecoder();
    // Where it can't be loaded, sharp gives the same pixels, later.
    await decoder.load().catch(() => {});
    return decoder;
  }

  /**
   * The pixels of a picture, row by row, written into `into` where that is as long as they are. A promise only where
   * sharp is asked.
   * @throws UserError where the bytes are no such picture.
   */
  decode(
    bytes: Uint8Array,
    format: ImageFormat,
    into?: Uint8Array,
  ): Tensor<Uint8Array> | Promise<Tensor<Uint8Array>> {
    if (format.encoding === 'raw') return rawPicture(bytes, format, into);
    const fast = format.encoding === 'jpeg' ? this.decodeTurbo(bytes, format, into) : undefined;
    return fast ?? decodeWithSharp(bytes, format, into);
  }

  private decodeTurbo(
    bytes: Uint8Array,
    { channels }: ImageFormat,
    into: Uint8Array | undefined,
  ): Tensor<Uint8Array> | undefined {
    const header = readJpegHeader(bytes);
    if (this.turbo === undefined || header === undefined) return undefined;
    const { width, height, precision, components, hasProfile, hasAdobeMarker } = header;
    const isPlain =
      precision === 8 && (components === 1 || components === 3) && !hasProfile && !hasAdobeMarker;
    if (!isPlain || (channels !== null && channels !== components) || width * height > MAX_TURBO_PIXELS)
      return undefined;
    try {
      this.turbo.getEncodedBuffer(bytes.length).set(bytes);
      this.turbo.decode();
      const pixels = this.turbo.getDecodedBuffer();
      if (pixels.length !== width * height * components) return undefined;
      return { data: copyInto(pixels, into), shape: [height, width, components] };
    } catch {
      // It threw in the middle of its work: a new one from now on. What the picture is, sharp will say.
      this.turbo = undefined;
      this.load().catch(() => {});
      return undefined;
    }
  }

  private async load(): Promise<void> {
    const require = createRequire(import.meta.url);
    const factory = require('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as (
      settings: object,
    ) => Promise<TurboModule>;
    const { JPEGDecoder } = await factory({ print: () => {}, printErr: () => {} });
    this.turbo = new JPEGDecoder();
  }
}

function rawPicture(
  bytes: Uint8Array,
  { height, width, channels }: ImageFormat,
  into: Uint8Array | undefined,
): Tensor<Uint8Array> {
  const shape = [height, width, channels] as number[];
  const wanted = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== wanted)
    throw new UserError(`${bytes.length} bytes where a picture of ${shape.join(' × ')} is wanted`);
  return { data: copyInto(bytes, into), shape };
}

async function decodeWithSharp(
  bytes: Uint8Array,
  { channels }: ImageFormat,
  into: Uint8Array | undefined,
): Promise<Tensor<Uint8Array>> {
  try {
    let picture = sharp(bytes, { failOn: 'error', pages: 1 });
    if (channels === 1) picture = picture.greyscale().removeAlpha();
    if (channels === 3) picture = picture.toColourspace('srgb').removeAlpha();
    if (channels === 4) picture = picture.toColourspace('srgb').ensureAlpha();
    const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { data: copyInto(data, into), shape: [info.height, info.width, info.channels] };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`not a picture (${message.trim().split('\n').at(-1)})`, { cause });
  }
}

function copyInto(pixels: Uint8Array, into: Uint8Array | undefined): Uint8Array {
  if (into?.length !== pixels.length) return Uint8Array.from(pixels);
  into.set(pixels);
  return into;
}
