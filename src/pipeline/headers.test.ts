import { describe, expect, it } from 'vitest';
import { inputFor } from '../../test/pipeline/support.js';
import { deferEveryone } from './deferral.js';
import { gatepostFields } from './headers.js';
import type { Copy, Inspection, ModuleRun } from './types.js';

function fields(modules: readonly ModuleRun[], decision: Partial<Copy['decision']> = {}): string {
  const input = inputFor(['b@example.org']);
  const base: Inspection = { ...deferEveryone(input, 10, { module: 'message', status: 'error' }), modules };
  const [copy] = base.copies;
  if (copy === undefined) throw new Error('no copy');
  return gatepostFields(base, {
    ...copy,
    decision: { ...copy.decision, rule: 'inbound', action: 'deliver', ...decision },
  });
}

const run = (module: string, status = 'clean'): ModuleRun => ({ module, status, milliseconds: 1 });

describe('our header fields', () => {
  it('say ID, rule, action, and what each module said', () => {
    const [id, ...rest] = fields([run('content'), run('signatures', 'infected')]).split('\r\n');
    expect(id).toMatch(/^X-Gatepost-ID: [0-9A-Z]{26}$/);
    expect(rest).toEqual([
      'X-Gatepost-Rule: inbound',
      'X-Gatepost-Action: deliver',
      'X-Gatepost-Status: content=clean; signatures=infected',
      '',
    ]);
  });

  it('say that nothing was scanned', () => {
    expect(fields([run('content')], { process: 'skip' })).toContain('X-Gatepost-Status: not-scanned\r\n');
    expect(fields([])).toContain('X-Gatepost-Status: not-scanned\r\n');
  });

  it('fold lines, and let nothing be injected', () => {
    const text = fields([
      ...Array.from({ length: 12 }, (_, i) => run(`module-${i}`)),
      run('x\r\nBcc: y@z.example', '\u00e4'),
    ]);
    for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(text).not.toMatch(/^Bcc/m);
    expect(text).toMatch(/^[\x20-\x7e\r\n]*$/);
    expect(text.replace(/\r\n /g, ' ').trimEnd().split('\r\n')).toHaveLength(4);
  });
});
