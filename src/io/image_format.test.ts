import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { sniffImageFormat } from './image_format.js';

describe('sniffImageFormat', () => {
  it('knows what a real encoder writes', async () => {
    const plain = sharp({ create: { width: 16, height: 16, channels: 3, background: '#a63' } });
    for (const format of ['jpeg', 'png', 'gif', 'webp', 'avif', 'tiff'] as const)
      expect(sniffImageFormat(await plain.clone().toFormat(format).toBuffer())).toBe(format);
  });

  it('knows formats that sharp can’t write by their heads', () => {
    const bitmap = Buffer.alloc(64);
    bitmap.write('BM', 'latin1');
    bitmap[14] = 40;
    expect(sniffImageFormat(bitmap)).toBe('bmp');
    expect(sniffImageFormat(Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'))).toBe('heic');
    expect(sniffImageFormat(Buffer.from('\0\0\0\x1cftypmif1\0\0\0\0mif1avif', 'latin1'))).toBe('avif');
    expect(sniffImageFormat(Buffer.from('MM\0*\0\0\0\x08', 'latin1'))).toBe('tiff');
  });

  it('takes nothing else for an image', () => {
    for (const text of [
      '',
      '<!DOCTYPE html>',
      '<svg xmlns="',
      'BM is a company',
      'GIF',
      'RIFF....WAVE',
      '\0\0\0\x18ftypmp42',
    ])
      expect([text, sniffImageFormat(Buffer.from(text, 'latin1'))]).toEqual([text, undefined]);
  });
});
