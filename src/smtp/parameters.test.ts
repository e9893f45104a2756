import { describe, expect, it } from 'vitest';
import { readMailParameters, readRcptParameters } from './parameters.js';

describe('parameters of MAIL', () => {
  it('are read, in any case and order', () => {
    expect(readMailParameters(' smtputf8 ret=full body=8bitmime SIZE=12 ENVID=a+2Bb ', false)).toEqual({
      value: { size: 12, eightBit: true, smtpUtf8: true, ret: 'full', envid: 'a+2Bb' },
    });
    expect(readMailParameters('', false)).toEqual({ value: { eightBit: false, smtpUtf8: false } });
    expect(readMailParameters(' AUTH=<>', true)).toHaveProperty('value');
  });

  it.each([
    ['SIZE=1', 501],
    [' SIZE', 501],
    [' SIZE=x', 501],
    [' SIZE=123456789012345678901', 501],
    [' BODY=', 501],
    [' BODY=8BIT', 501],
    [' SMTPUTF8=1', 501],
    [' RET=ALL', 501],
    [' ENVID=', 501],
    [' ENVID=a=b', 501],
    [' ENVID=+0D+0A', 501],
    [' ENVID=+7F', 501],
    [' ENVID=+2b', 501],
    [` ENVID=${'x'.repeat(101)}`, 501],
    [' =x', 501],
    [' AUTH=<>', 555],
    [' HOLDFOR=1', 555],
    [' NOTIFY=NEVER', 555],
  ])('%j is refused with %i', (text, code) => {
    expect(readMailParameters(text, false)).toMatchObject({ refusal: { code, enhanced: '5.5.4' } });
  });
});

describe('parameters of RCPT', () => {
  it('are read', () => {
    expect(readRcptParameters(' NOTIFY=success,Failure,success ORCPT=rfc822;a+2Bb@c')).toEqual({
      value: { notify: ['success', 'failure'], orcpt: 'rfc822;a+2Bb@c' },
    });
    expect(readRcptParameters(' ORCPT=utf-8;ä@b')).toHaveProperty('value');
    // As Postfix writes it.
    expect(readRcptParameters(' ORCPT=rfc822;b+C3+BC+2Bb@c')).toEqual({ value: { orcpt: 'utf-8;bü+2Bb@c' } });
    expect(readRcptParameters(' ORCPT=rfc822;ä+2Bb@c')).toEqual({ value: { orcpt: 'utf-8;ä+2Bb@c' } });
  });

  it.each([
    [' NOTIFY=', 501],
    [' NOTIFY=NEVER,DELAY', 501],
    [' NOTIFY=ALWAYS', 501],
    [' ORCPT=rfc822', 501],
    [' ORCPT=;a@b', 501],
    [' ORCPT=rfc822;ä+0A@b', 501],
    [' ORCPT=x400;ä@b', 501],
    [' ORCPT=rfc822;b+C3@b', 501],
    [' ORCPT=rfc822;b+C2+85@b', 501],
    [' RET=FULL', 555],
  ])('%j is refused with %i', (text, code) => {
    expect(readRcptParameters(text)).toMatchObject({ refusal: { code, enhanced: '5.5.4' } });
  });
});
