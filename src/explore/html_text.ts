/** Writes HTML in which everything that comes from outside is text: a template tag that escapes whatever is put into it. */

import { type ImageFormat, sniffImageFormat } from '../io/image_format.js';

/** Markup that is known to be safe, since only the template below makes it. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** Joins the fixed parts of a template, which we wrote, and its values, of which only `Html` is not escaped. */
  static fromTemplate(parts: readonly string[], values: readonly HtmlValue[]): Html {
    return new Html(parts.map((part, i) => (i === 0 ? part : markupOf(values[i - 1]) + part)).join(''));
  }
}

/** What may stand in a template; `undefined` and `false` stand for nothing. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/**
 * Text and attribute values are escaped alike, so attributes must be quoted.
 * @example `html\`<p title="${name}">${names.map((each) => html\`<b>${each}</b>\`)}</p>\``
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.fromTemplate(parts, values);
}

/**
 * Text for element contents and quoted attribute values. Characters that HTML forbids (control characters, halves of
 * surrogate pairs) become U+FFFD, as a parser would make them.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** At most `maxCharacters` of a text, with an ellipsis where something is missing. */
export function clipText(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;
}

/** The address in its normal form where a link to it is harmless: http and https alone, without user name and password. */
export function linkableUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  return isWeb && url.username === '' && url.password === '' ? url.href : undefined;
}

/** A picture's bytes as an address that loads nothing, or undefined where they are in no format that browsers show. */
export function pictureDataUri(bytes: Uint8Array): string | undefined {
  const format = sniffImageFormat(bytes);
  if (format === undefined || !SHOWN_BY_BROWSERS.has(format)) return undefined;
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return `data:image/${format};base64,${base64}`;
}

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return escapeHtml(String(value));
}

/** HTML living standard, section 13.1.4: text holds no surrogates, and no control characters but white space. */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}|\p{Cs}/gu;

const SHOWN_BY_BROWSERS: ReadonlySet<ImageFormat> = new Set<ImageFormat>([
  'jpeg',
  'png',
  'gif',
  'webp',
  'avif',
]);
