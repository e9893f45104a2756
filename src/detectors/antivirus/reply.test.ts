import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetectorError } from '../failure.js';
import { parseScanReply, parseVersion, statusOf } from './reply.js';

describe('the reply to a stream', () => {
  it.each([
    ['stream: OK', { kind: 'clean' }],
    ['stream: Eicar-Test-Signature FOUND', { kind: 'found', threat: 'Eicar-Test-Signature' }],
    ['stream: Own.Name.UNOFFICIAL FOUND', { kind: 'found', threat: 'Own.Name.UNOFFICIAL' }],
    ['stream: A B FOUND FOUND', { kind: 'found', threat: 'A B FOUND' }],
    [
      'stream: Eicar-Test-Signature(44d88612fea8a8f36de82e1278abb02f:68) FOUND',
      { kind: 'found', threat: 'Eicar-Test-Signature' },
    ],
    ['INSTREAM size limit exceeded. ERROR', { kind: 'limit' }],
    ['COMMAND READ TIMED OUT ERROR', { kind: 'failed', reason: 'COMMAND READ TIMED OUT ERROR' }],
    ['UNKNOWN COMMAND', { kind: 'failed', reason: 'UNKNOWN COMMAND' }],
  ])('%s', (text, reply) => expect(parseScanReply(text)).toEqual(reply));

  it('is never clean unless it says so', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          return parseScanReply(text).kind !== 'clean';
        } catch (error) {
          return error instanceof DetectorError;
        }
      }),
    );
  });
});

describe('what a threat means', () => {
  it.each([
    ['Heuristics.Encrypted.Zip', 'encrypted'],
    ['Heuristics.Encrypted.PDF', 'encrypted'],
    ['Heuristics.OLE2.ContainsMacros.VBA', 'macro'],
    ['Heuristics.OLE2.ContainsMacros', 'macro'],
    ['Heuristics.Limits.Exceeded.MaxScanTime', 'limit'],
    ['Heuristics.Broken.Executable', 'infected'],
    ['Win.Trojan.Encrypted.Zip', 'infected'],
  ])('%s is %s', (name, status) => expect(statusOf(name)).toBe(status));
});

describe('the version', () => {
  it('has the number and the date of the databases, if there are any', () => {
    expect(parseVersion('ClamAV 1.0.7/27000/Sun Nov  1 08:05:09 2026')).toEqual({
      version: '27000',
      date: new Date(2026, 10, 1, 8, 5, 9),
    });
    expect(parseVersion('ClamAV 1.4.6')).toBeUndefined();
  });

  it.each(['', 'PONG', 'ClamAV', 'ClamAV 1/27000', 'ClamAV 1/27000/Sat Foo 21 09:12:31 2026', 'ClamAV 1/x/Sat'])(
    '%j is none',
    (text) => expect(() => parseVersion(text)).toThrow(DetectorError),
  );
});
