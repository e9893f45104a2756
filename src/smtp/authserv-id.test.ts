import { describe, expect, it } from 'vitest';
import { canonicalMessage } from './canonical.js';

const HOST = 'mx.example.org';

/** What is left of the header of a message that bears the field. */
function left(field: string, host = HOST): string {
  const { bytes } = canonicalMessage(Buffer.from(`Subject: x\r\n${field}\r\nTo: y\r\n\r\nbody\r\n`), host);
  return bytes.toString().replace('\r\n\r\nbody\r\n', '');
}

describe('a foreign Authentication-Results field with our id', () => {
  it.each([
    'Authentication-Results: mx.example.org; spf=pass',
    'authentication-results:mx.example.org;spf=pass',
    'Authentication-Results : MX.Example.ORG; spf=pass',
    'Authentication-Results: mx.example.org. ; spf=pass',
    'Authentication-Results:\r\n mx.example.org;\r\n\tspf=pass;\r\n dkim=pass',
    'Authentication-Results: (a comment) mx.example.org; spf=pass',
    'Authentication-Results: (a (nested \\) one)\r\n ) mx.example.org; spf=pass',
    'Authentication-Results: mx.example.org 1; spf=pass',
    'Authentication-Results: mx.example.org(x)1; none',
    'Authentication-Results: "mx.example.org"; spf=pass',
    'Authentication-Results: "mx\\.example.org"; spf=pass',
    'Authentication-Results: mx.example.org',
    'Authentication-Results: (open mx.example.org; spf=pass',
    'Authentication-Results: "mx.example.org; spf=pass',
    'Authentication-Results: ;mx.example.org; spf=pass',
  ])('is removed: %j', (field) => {
    expect(left(field)).toBe('Subject: x\r\nTo: y');
  });

  it('is removed under an internationalized name', () => {
    expect(left('Authentication-Results: mx.b\u00fccher.example; spf=pass', 'mx.xn--bcher-kva.example')).toBe(
      'Subject: x\r\nTo: y',
    );
  });
});

describe('other fields', () => {
  it.each([
    'Authentication-Results: mx.example.net; spf=pass',
    'Authentication-Results: mail.mx.example.org; spf=pass',
    'Authentication-Results: (mx.example.org) mx.example.net; x=mx.example.org',
    'Authentication-Results: mx.example.org.example.net;\r\n spf=pass',
    'Authentication-Results-Original: mx.example.org; spf=pass',
    'ARC-Authentication-Results: i=1; mx.example.org; spf=pass',
    'X-Authentication-Results: mx.example.org; spf=pass',
    'Authentication-Results:',
  ])('stay byte for byte: %j', (field) => {
    expect(left(field)).toBe(`Subject: x\r\n${field}\r\nTo: y`);
  });
});
