import fc from 'fast-check';
import { expect, test } from 'vitest';
import { code, codeBlock, link, plain } from './markdown.js';

const anyText = fc.string({
  unit: fc.constantFrom('a', ' ', '\n', '|', '`', '<', '>', '*', '_', '[', ']', '\\', '#', '&amp;'),
});

test('text from outside ends no cell, opens no tag and begins no line', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const made = plain(text);
      expect(made).not.toMatch(/\n/);
      // Every special character stands behind an odd number of backslashes.
      expect(made.replace(/\\./gs, '')).not.toMatch(/[`*[\]<>|#]/);
    }),
  );
});

test('code is closed by its own fence and no sooner', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const [, fence = '', inside = ''] = /^(`+)([\s\S]*?)\1$/.exec(code(text)) ?? [];
      expect(fence.length).toBeGreaterThan(0);
      expect(inside.match(/`+/g)?.some(({ length }) => length === fence.length) ?? false).toBe(false);
      expect(inside.replaceAll('\\|', '')).not.toMatch(/[|\n]/);
    }),
  );
});

test('a block of code is not ended by fences inside it', () => {
  expect(codeBlock('python', 'a\n```\nb\n')).toBe('````python\na\n```\nb\n````');
});

test('only addresses of the web are linked', () => {
  expect(link('here', 'https://example.org/a b')).toBe('[here](<https://example.org/a%20b>)');
  expect(link('here', 'javascript:alert(1)')).toBe('here');
  expect(link('Yours', '')).toBe('Yours');
});
