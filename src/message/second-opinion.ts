import { MailParser, type AttachmentStream, type MessageText as ParsedText } from 'mailparser';
import type { OtherAttachment } from './objects/walk.js';

/** What a second reader, independent of the first, sees in a message. */
export interface SecondReading {
  readonly attachments: readonly OtherAttachment[];
  readonly text: string;
  readonly html: string;
  /** Why it could not read the message, or not to its end; absent when it could. */
  readonly failure?: string;
}

/** Larger messages are not read again. */
const MAX_BYTES = 32 * 1024 * 1024;
const SLICE = 256 * 1024;

/**
 * Reads a message with mailparser. Never rejects: whatever it could read before it failed is in the result.
 * @param signal ends the reading; what was read until then stays
 */
export async function readAgain(bytes: Buffer, signal: AbortSignal): Promise<SecondReading> {
  if (bytes.length > MAX_BYTES) return { attachments: [], text: '', html: '', failure: 'it is too large' };
  const parser = new MailParser({
    skipHtmlToText: true,
    skipImageLinks: true,
    skipTextToHtml: true,
    skipTextLinks: true,
  });
  const attachments: OtherAttachment[] = [];
  let text = '';
  let html = '';
  parser.on('data', (data: AttachmentStream | ParsedText) => {
    if (data.type === 'text') {
      text = typeof data.text === 'string' ? data.text : '';
      html = typeof data.html === 'string' ? data.html : '';
      return;
    }
    const chunks: Buffer[] = [];
    data.content.on('data', (chunk: Buffer) => chunks.push(chunk));
    data.content.on('end', () => {
      const mime = typeof data.contentType === 'string' ? data.contentType.toLowerCase() : '';
      attachments.push({ name: data.filename ?? '', mime, bytes: Buffer.concat(chunks) });
      data.release();
    });
  });
  const failure = await feed(parser, bytes, signal);
  return { attachments, text, html, ...(failure === undefined ? {} : { failure }) };
}

/** Writes the message in slices; resolves when it is read, or to the reason why that ended early. */
async function feed(parser: MailParser, bytes: Buffer, signal: AbortSignal): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const stop = (reason?: string): void => {
      signal.removeEventListener('abort', late);
      resolve(reason);
    };
    const late = (): void => {
      parser.destroy();
      stop('it took too long');
    };
    if (signal.aborted) {
      late();
      return;
    }
    signal.addEventListener('abort', late);
    parser.on('error', () => stop('it is not well-formed'));
    parser.on('end', () => stop());
    let at = 0;
    const write = (): void => {
      while (at < bytes.length && !signal.aborted) {
        // A copy: streams may keep it, and the message may lie in memory that threads share.
        const slice = Buffer.from(bytes.subarray(at, at + SLICE));
        at += slice.length;
        if (!parser.write(slice)) {
          parser.once('drain', write);
          return;
        }
      }
      if (!signal.aborted) parser.end();
    };
    write();
  });
}
