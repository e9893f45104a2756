/** The EICAR test file, put together at run time so that this source is none. */
export const EICAR = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!', '$H+H*'].join(''),
);

/** Starts like a program for Windows. */
export const PROGRAM = Buffer.concat([
  Buffer.from('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0', 'latin1'),
  Buffer.alloc(300, 7),
]);

/** A way of hiding a forbidden attachment. */
export interface Trick {
  readonly name: string;
  readonly bytes: Buffer;
  /** Anomaly that it must be reported as, besides being found. */
  readonly anomaly?: string;
  /** What is hidden cannot be had from this message alone: the anomaly is all there is. */
  readonly onlyAnomaly?: true;
  /** A name that a mask must match. */
  readonly called?: string;
  /** Instead of the attachment: something is a scan-error whose detail says this. */
  readonly problem?: string;
  /** Instead of the attachment: an object carries a macro. */
  readonly macro?: true;
  /** Instead of the attachment: an object is of this format. */
  readonly format?: string;
  /** Instead of the attachment: the text of the message says this. */
  readonly shows?: string;
}

export function b64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
}

/** Lines with CRLF; one character for each byte. */
export function raw(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

export const TOP = ['From: a@example.org', 'To: b@example.org', 'Subject: x', 'MIME-Version: 1.0'];

/** A text part and, behind it, whatever lines the trick is made of. */
export function mixed(...lines: readonly string[]): Buffer {
  return raw(
    ...TOP,
    'Content-Type: multipart/mixed; boundary="bound"',
    '',
    '--bound',
    'Content-Type: text/plain',
    '',
    'Hello',
    '--bound',
    ...lines,
    '--bound--',
    '',
  );
}

/** An attachment with these header lines and this body. */
export function withHeader(header: readonly string[], body = b64(EICAR)): Buffer {
  return mixed(...header, '', body);
}

export const OCTETS = 'Content-Type: application/octet-stream';
export const BASE64 = 'Content-Transfer-Encoding: base64';
export const EVIL = 'Content-Disposition: attachment; filename="evil.exe"';
