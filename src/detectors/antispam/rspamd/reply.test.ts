import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetectorError } from '../../failure.js';
import { parseReply } from './reply.js';

describe("rspamd's answers", () => {
  it('gives score, action, symbols, and what it suggests', () => {
    const verdict = parseReply(
      JSON.stringify({
        score: 7.25,
        required_score: 15,
        action: 'rewrite subject',
        subject: '*** SPAM *** Hello',
        symbols: {
          PHISHING: { score: 4, options: ['bank.example->evil.example'] },
          BAYES_SPAM: { score: 3.25, options: ['99.9%'] },
        },
        milter: {
          add_headers: { 'X-Spam': { value: 'Yes', order: 0 }, 'X-Spamd-Bar': '++' },
          remove_headers: { 'X-Old': 0 },
        },
      }),
    );
    expect(verdict).toEqual({
      score: 7.25,
      required: 15,
      action: 'rewrite subject',
      symbols: [
        { name: 'PHISHING', score: 4, host: 'evil.example' },
        { name: 'BAYES_SPAM', score: 3.25 },
      ],
      notes: [
        'suggests the subject "*** SPAM *** Hello"',
        'suggests the fields X-Spam: Yes, X-Spamd-Bar: ++',
        'suggests to remove X-Old',
      ],
    });
  });

  it('takes a rejection that was forced for as many points as a rejection needs', () => {
    expect(parseReply('{"score": 0, "required_score": 15, "action": "reject"}').score).toBe(15);
    expect(parseReply('{"score": 0, "required_score": 15, "action": "soft reject"}').score).toBe(0);
  });

  it('says that a message was skipped', () => {
    expect(parseReply('{"score": 0, "is_skipped": true}').notes).toEqual(['rspamd skipped this message']);
  });

  it('keeps what it takes within bounds', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`S${i}`, { score: 1 }]));
    const verdict = parseReply(JSON.stringify({ score: 1, symbols: many, subject: 'x'.repeat(10_000) }));
    expect(verdict.symbols).toHaveLength(500);
    expect(verdict.notes.join('').length).toBeLessThan(200);
  });

  it('is a verdict or a DetectorError, whatever comes', () => {
    const property = (text: string): boolean => {
      try {
        return Number.isFinite(parseReply(text).score);
      } catch (error) {
        return error instanceof DetectorError;
      }
    };
    fc.assert(fc.property(fc.json(), property));
    fc.assert(fc.property(fc.string(), property));
    const loose = { score: fc.anything(), symbols: fc.anything(), milter: fc.anything(), action: fc.anything() };
    fc.assert(fc.property(fc.record(loose), (value) => property(JSON.stringify(value))));
  });
});
