/** Tests of the HTML template: everything from outside stays text. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clipText, escapeHtml, html, linkableUrl, pictureDataUri } from './html_text.js';

describe('the template', () => {
  test('escapes values, keeps markup of its own, and leaves out what is missing', () => {
    const list = ['<a>', '"b"'].map((each) => html`<li title="${each}">${each}</li>`);
    expect(html`<ul>${list}${undefined}${false}${0}</ul>`.toString()).toBe(
      '<ul><li title="&#60;a&#62;">&#60;a&#62;</li><li title="&#34;b&#34;">&#34;b&#34;</li>0</ul>',
    );
  });

  test('an object that looks like markup is still escaped', () => {
    const disguised = { toString: () => '<b>' } as unknown as string;
    expect(html`${disguised}`.toString()).toBe('&#60;b&#62;');
  });

  test('what is escaped reads back as it was, but for characters that HTML forbids', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"'`]/);
        const back = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
        expect(back).toBe(text.replace(/(?![\t\n\r])\p{Cc}|\p{Cs}/gu, '\ufffd'));
      }),
    );
  });
});

describe('addresses', () => {
  test('only web addresses without credentials are linked', () => {
    expect(linkableUrl('https://Example.com/a b"')).toBe('https://example.com/a%20b%22');
    for (const text of [
      'javascript:alert(1)',
      ' \tjava\nscript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      '//example.com',
      'https://user:secret@example.com/',
      'no address',
      '',
    ])
      expect(linkableUrl(text)).toBeUndefined();
  });
});

test('pictures are told by their bytes, and what browsers do not show is none', () => {
  expect(pictureDataUri(Buffer.from([0xff, 0xd8, 0xff, 0xe0]))).toBe('data:image/jpeg;base64,/9j/4A==');
  expect(pictureDataUri(Buffer.from('II*\0'))).toBeUndefined();
  expect(pictureDataUri(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBeUndefined();
  expect(pictureDataUri(new Uint8Array())).toBeUndefined();
});

test('long text is cut with an ellipsis', () => {
  expect(clipText('abcdef', 6)).toBe('abcdef');
  expect(clipText('abcdefg', 6)).toBe('abcde…');
});
