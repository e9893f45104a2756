/** Length that a line should not pass (RFC 5322 2.1.1). */
const LINE = 78;

/** `name word word` and CRLF, broken before a word that would make the line too long (RFC 5322 2.2.3). */
export function foldWords(name: string, words: readonly string[]): string {
  let text = name;
  let line = name.length;
  for (const [i, word] of words.entries()) {
    if (i > 0 && line + 1 + word.length > LINE) {
      text += `\r\n ${word}`;
      line = 1 + word.length;
    } else {
      text += ` ${word}`;
      line += 1 + word.length;
    }
  }
  return `${text}\r\n`;
}
