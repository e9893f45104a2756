import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputFor } from '../../test/pipeline/support.js';
import type { Finding, MethodResult } from '../detectors/types.js';
import { deferEveryone } from './deferral.js';
import { gatepostFields } from './headers.js';
import type { Copy, Inspection, ModuleRun } from './types.js';

function fields(
  modules: readonly ModuleRun[],
  decision: Partial<Copy['decision']> = {},
  findings: readonly Finding[] = [],
): string {
  const input = inputFor(['b@example.org']);
  const base: Inspection = { ...deferEveryone(input, 10, { module: 'message', status: 'error' }), modules, findings };
  const [copy] = base.copies;
  if (copy === undefined) throw new Error('no copy');
  return gatepostFields(
    base,
    { ...copy, decision: { ...copy.decision, rule: 'inbound', action: 'deliver', ...decision } },
    'mx.example.org',
  );
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

  it('count on the passes of a message that comes again', () => {
    const [copy] = deferEveryone(inputFor(['b@example.org']), 10, { module: 'message', status: 'error' }).copies;
    if (copy === undefined) throw new Error('no copy');
    const inspection = deferEveryone(inputFor(['b@example.org']), 10, { module: 'message', status: 'error' });
    expect(gatepostFields(inspection, copy, 'mx.example.org', 0)).not.toContain('Passes');
    expect(gatepostFields(inspection, copy, 'mx.example.org', 3)).toContain('\r\nX-Gatepost-Passes: 4\r\n');
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

describe('the Authentication-Results field', () => {
  const finding = (...results: MethodResult[]): Finding => ({
    module: 'authentication',
    status: results[0]?.method ?? '',
    results,
  });
  const written = (...findings: Finding[]): string[] =>
    fields([run('authentication')], {}, findings)
      .split(/\r\n(?! )/)
      .filter((field) => /^authentication-results/i.test(field));

  it('says what each method said', () => {
    const [field] = written(
      finding({ method: 'spf', result: 'pass', properties: { 'smtp.mailfrom': 'a@example.com' } }),
      finding(
        { method: 'dkim', result: 'pass', properties: { 'header.d': 'example.com', 'header.b': 'aB/+=' } },
        { method: 'dkim', result: 'fail', properties: { 'header.d': 'esp.example' } },
      ),
      finding({ method: 'dmarc', result: 'pass', properties: { 'header.from': 'example.com' } }),
      finding({ method: 'arc', result: 'none', properties: {} }),
    );
    expect(field?.replace(/\r\n /g, ' ')).toBe(
      'Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=a@example.com; ' +
        'dkim=pass header.d=example.com header.b="aB/+="; dkim=fail header.d=esp.example; ' +
        'dmarc=pass header.from=example.com; arc=none',
    );
  });

  it('is not written where nothing was checked, or for a copy that was not scanned', () => {
    expect(written({ module: 'authentication', status: 'error' })).toEqual([]);
    expect(
      written({ module: 'other', status: 'x', results: [{ method: 'spf', result: 'pass', properties: {} }] }),
    ).toEqual([]);
    const spf = finding({ method: 'spf', result: 'pass', properties: {} });
    expect(fields([run('authentication')], { process: 'skip' }, [spf])).not.toContain('Authentication-Results');
  });

  it('lets nothing be injected', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (sender) => {
        const text = fields([run('a')], {}, [
          finding({ method: 'spf', result: 'none', properties: { 'smtp.mailfrom': sender } }),
        ]);
        expect(text).toMatch(/^(?:[\x20-\x7e]+\r\n)+$/);
        expect(text.split(/\r\n(?! )/)).toHaveLength(6);
        const value = text.split('\r\n')[0] ?? '';
        expect(value.replace(/"(?:[^"\\]|\\.)*"/g, '').split(';').length).toBeLessThanOrEqual(2);
      }),
    );
  });
});
