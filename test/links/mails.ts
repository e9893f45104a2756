/** Mails for the corpora: what stands in the body, and the fields besides the usual ones. */
export interface Sample {
  readonly name: string;
  readonly html?: string;
  readonly text?: string;
  readonly from?: string;
  readonly header?: readonly string[];
}

/** The bytes of a sample, in canonical form. */
export function sampleMail({ html, text, from = 'Anna <anna@partner.test>', header = [] }: Sample): Buffer {
  const part = (type: string, body: string): string[] => [
    `Content-Type: text/${type}; charset=utf-8`,
    'Content-Transfer-Encoding: 8bit',
    '',
    body.replace(/\r?\n/g, '\r\n'),
  ];
  const head = [`From: ${from}`, 'To: b@contoso.test', 'Subject: Hello', 'Message-ID: <1@partner.test>', ...header];
  const lines =
    html !== undefined && text !== undefined
      ? [
          ...head,
          'Content-Type: multipart/alternative; boundary=b',
          '',
          '--b',
          ...part('plain', text),
          '--b',
          ...part('html', html),
          '--b--',
        ]
      : [...head, ...(html === undefined ? part('plain', text ?? '') : part('html', html))];
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}

/** Header fields that mailings bear. */
export function listHeader(domain: string): readonly string[] {
  return [
    `List-Id: Letters <letters.${domain}>`,
    `List-Unsubscribe: <https://${domain}/unsubscribe?u=1>`,
    'Precedence: bulk',
  ];
}
