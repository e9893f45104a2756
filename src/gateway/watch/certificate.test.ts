import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { expiring } from './certificate.js';

const folder = path.join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures', 'tls');
const file = readdirSync(folder).find((name) => /cert.*\.pem$/.test(name)) ?? '';
const pem = readFileSync(path.join(folder, file), 'utf8');
const end = Date.parse(new X509Certificate(pem).validTo);
const DAY = 86_400_000;

it('a certificate is told of 14 days before it ends', () => {
  expect(expiring(pem, end - 14 * DAY)).toBeUndefined();
  expect(expiring(pem, end - 14 * DAY + 1000)).toContain('in 13 days');
  expect(expiring(pem, end + 1000)).toContain('ran out');
  expect(expiring('nothing', end)).toContain('no certificate');
});
