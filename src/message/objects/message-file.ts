/** Fields of which a message has some; two of them make a file one. */
const KNOWN =
  /^(?:from|to|cc|subject|date|received|return-path|delivered-to|message-id|mime-version|content-type|content-transfer-encoding|content-location|x-mailer)[ \t]*:/i;
const FIELD = /^[\x21-\x39\x3b-\x7e]{1,60}[ \t]*:/;
const MAIL = /^(?:eml|emlx|mht|mhtml|mbox|mbx)$/;
const HEAD = 4096;

/**
 * Whether a file is a message, kept under whatever name: mail programs and Office (web archives) go by the first lines.
 * With the extension of one, a first field suffices.
 */
export function looksLikeMessage(bytes: Buffer, extension: string): boolean {
  const head = bytes.toString('latin1', 0, HEAD).replace(/^\xef\xbb\xbf/, '');
  // Apple's programs put the length of the message before it.
  if (extension === 'emlx' && FIELD.test(head.replace(/^\d{1,12}\s*\n/, ''))) return true;
  if (MAIL.test(extension) && (FIELD.test(head) || head.startsWith('From '))) return true;
  if (!FIELD.test(head) && !head.startsWith('From ')) return false;
  const lines = head.split(/\r?\n/, 60);
  if (lines[0]?.startsWith('From ') === true) lines.shift();
  let known = 0;
  for (const line of lines) {
    if (KNOWN.test(line)) known += 1;
    else if (line === '' || !(FIELD.test(line) || /^[ \t]/.test(line))) break;
  }
  return known >= 2;
}

/** A piece of a message, or a stand-in for a body: what follows its header is a message, or a part, of its own. */
export function holdsMessage(mime: string, bytes: Buffer): boolean {
  if (mime !== 'message/partial' && mime !== 'message/external-body') return false;
  return FIELD.test(bytes.toString('latin1', 0, 80));
}
