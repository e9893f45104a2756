import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load.js';
import { banner, notProtected } from './banner.js';

describe('the banner', () => {
  it('says where it listens, where it delivers, and what is not protected', async () => {
    const { config } = await parseConfig('node: { name: gw1 }\n', '/nowhere');
    const text = banner({
      config,
      rules: 0,
      addresses: [{ host: '::1', port: 2525, implicitTls: true }],
      queue: 'embedded PostgreSQL',
      store: 'embedded PostgreSQL',
      hops: ['maildir:./data/inbox'],
      version: '1.2.3',
    });
    expect(text).toMatch(/^Gatepost 1\.2\.3\n/);
    expect(text).toContain('listens        tls://[::1]:2525');
    expect(text).toContain('delivers       maildir:./data/inbox');
    expect(text).toContain('- forged senders');
  });

  it('warns of a gateway that anyone may relay through', async () => {
    const { config } = await parseConfig('trusted: ["0.0.0.0/0"]\n', '/nowhere');
    expect(notProtected(config).join('\n')).toContain('anyone may send to anywhere');
  });
});
