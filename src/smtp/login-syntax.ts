/**
 * Whether a client may say this to a challenge (RFC 4954 4): base64, the end of the exchange (`*`), or as much as an empty
 * response. What is neither would be read as something else than was meant.
 */
export function isResponse(line: Buffer): boolean {
  const text = line.toString('latin1').trim();
  return text === '*' || isBase64(text);
}

/** Whether an AUTH command has no initial response, or one that can be read; `=` stands for an empty one. */
export function hasGoodInitialResponse(command: Buffer): boolean {
  const [, , response, ...more] = command.toString('latin1').trim().split(/\s+/);
  return response === undefined || more.length > 0 || response === '=' || isBase64(response);
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
