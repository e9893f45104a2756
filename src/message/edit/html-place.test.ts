import { describe, expect, it } from 'vitest';
import { htmlPlaces } from './html-place.js';

/** `|` stands where the start is, `^` where the end is. */
const CASES: readonly (readonly [string, string])[] = [
  ['a document', '<html><head><title>t</title></head><body>|x^</body></html>'],
  ['upper case and attributes', '<HTML><BODY BGCOLOR="#fff" title=\'a>b\'>|x^</BODY></HTML>'],
  ['a quote in an attribute without quotes', '<body a=b"c>|x^</body>'],
  ['no body tag', '<html><head></head>|<p>x</p>^</html>'],
  ['a piece of HTML', '|<p>x</p>^'],
  ['text alone', '|x < y^'],
  ['a doctype and nothing around the text', '<!DOCTYPE html>|\r\nx^'],
  ['a body tag in a comment', '<!-- <body> -->|<p>x</p>^'],
  ['a body tag in a script and in a title', '<script>"<body>"</script><title><body></title>|<b>x</b>^'],
  ['a conditional comment before the body', '<!--[if mso]><body><![endif]--><body>|x^</body>'],
  ['the comments that end at once', '<!--><!---><body>|x^</body>'],
  ['a comment with an odd end', '<!-- a --!><body>|x^</body>'],
  ['text before the body tag', '|hidden <body>x^</body>'],
  ['elements before the body tag', '|<div style="display:none">x<body>y^</body>'],
  ['a closing tag in a comment', '<body>|x<!-- </body> -->^'],
  ['two closing tags', '<body>|x</body><p>y^</body>'],
  ['html closed, body not', '<body>|x^</html>'],
  ['a comment that never ends', '<body>|x^<!-- y </body>'],
  ['a tag that never ends', '<body>|x^<a href="</body>'],
  ['a script that never ends', '<body>|x^<script> </body>'],
  ['a title that never ends', '|^<title> x <body>y'],
  ['plaintext', '<body>|x^<plaintext></body>'],
  ['nothing', '|^'],
  ['white space', '|  ^'],
  ['noscript in the head', '<head>|<noscript><p>x</p></noscript></head><body>y^</body>'],
];

describe('where text goes in HTML', () => {
  it.each(CASES)('%s', (_, marked) => {
    const html = marked.replace(/[|^]/g, '');
    const { start, end } = htmlPlaces(html);
    expect(`${html.slice(0, start)}|${html.slice(start, end)}^${html.slice(end)}`).toBe(marked);
  });

  it('is found in time that grows with the length', () => {
    for (const piece of ['<!--x-->', '<!--x--!>', '<a b="', '</', '<title></title>', '<', '<a ', '&<b c=d>'])
      expect(timeOf(piece.repeat(200_000))).toBeLessThan(2_000);
  });
});

function timeOf(html: string): number {
  const start = performance.now();
  htmlPlaces(html);
  return performance.now() - start;
}
