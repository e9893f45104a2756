export interface MailFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A message with a text and attachments, in canonical form. */
export function makeMail(text: string, files: readonly MailFile[] = [], subject = 'Hello'): Buffer {
  const head = [
    'From: A <a@partner.example>',
    'To: b@example.org',
    `Subject: ${subject}`,
    'Message-ID: <1@partner.example>',
  ];
  if (files.length === 0) return Buffer.from([...head, '', text, ''].join('\r\n'));
  const lines = [
    ...head,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="=b"',
    '',
    '--=b',
    'Content-Type: text/plain',
    '',
    text,
  ];
  for (const { name, bytes } of files) {
    const encoded = bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
    lines.push(
      '--=b',
      `Content-Type: application/octet-stream; name="${name}"`,
      `Content-Disposition: attachment; filename="${name}"`,
      'Content-Transfer-Encoding: base64',
      '',
      encoded,
    );
  }
  return Buffer.from([...lines, '--=b--', ''].join('\r\n'));
}
