import { describe, expect, it } from 'vitest';
import { canonicalMessage } from './canonical.js';

const read = (text: string): { text: string; anomalies: readonly string[]; ownMark?: string } => {
  const { bytes, intake } = canonicalMessage(Buffer.from(text, 'latin1'));
  return {
    text: bytes.toString('latin1'),
    anomalies: intake.anomalies,
    ...(intake.ownMark === undefined ? {} : { ownMark: intake.ownMark }),
  };
};

describe('a message from a file', () => {
  it('with LF line ends is ordinary', () => {
    expect(read('Subject: x\n\nHello\n')).toEqual({ text: 'Subject: x\r\n\r\nHello\r\n', anomalies: [] });
  });

  it('with mixed line ends, bare CR or NUL is normalized as intake does, and says so', () => {
    expect(read('Subject: x\r\n\r\na\nb\rc\0d\r\n')).toEqual({
      text: 'Subject: x\r\n\r\na\r\nb\r\ncd\r\n',
      anomalies: ['bare-cr', 'bare-lf', 'nul'],
    });
  });

  it('loses our own fields, and its mark is noted', () => {
    expect(
      read('X-Gatepost-Rule: forged\nX-Gatepost-Notification: 01ABC\nSubject: x\n\nX-Gatepost-Rule: in the body\n'),
    ).toEqual({
      text: 'Subject: x\r\n\r\nX-Gatepost-Rule: in the body\r\n',
      anomalies: [],
      ownMark: '01ABC',
    });
  });
});
