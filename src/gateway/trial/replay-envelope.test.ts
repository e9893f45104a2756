import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../config/load.js';
import { storedEnvelope } from './replay-envelope.js';

const { scan } = (await parseConfig('', '.')).config;
const read = (head: string, most = 100) =>
  storedEnvelope(Buffer.from(`${head}\n\nx\n`.replace(/\n/g, '\r\n')), scan, most);

describe('the envelope of a stored message', () => {
  it.each([
    ['Return-Path', 'From: f@x.example\nReturn-Path: <r@x.example>', 'r@x.example'],
    ['X-Envelope-From', 'From: f@x.example\nX-Envelope-From: e@x.example', 'e@x.example'],
    ['Return-Path before X-Envelope-From', 'X-Envelope-From: e@x.example\nReturn-Path: <r@x.example>', 'r@x.example'],
    ['From, where neither is there', 'From: "F, G" <f@x.example>', 'f@x.example'],
    ['the null sender of a bounce', 'Return-Path: <>\nFrom: f@x.example', ''],
    ['nobody, where nothing tells', 'Subject: s', ''],
  ])('has the sender of %s', (_, head, sender) => {
    expect(read(head).sender).toBe(sender);
  });

  it.each([
    ['Delivered-To', 'Delivered-To: d@x.example\nX-Original-To: o@x.example\nTo: t@x.example', ['d@x.example']],
    ['several Delivered-To', 'Delivered-To: d@x.example\nDelivered-To: e@x.example', ['d@x.example', 'e@x.example']],
    ['X-Original-To', 'X-Original-To: <o@x.example>\nTo: t@x.example', ['o@x.example']],
    ['To and Cc', 'To: T <t@x.example>, u@x.example\nCc: c@x.example', ['t@x.example', 'u@x.example', 'c@x.example']],
    ['a group', 'To: friends: a@x.example, b@x.example;', ['a@x.example', 'b@x.example']],
    ['one that stands twice', 'To: t@x.example\nCc: t@x.example', ['t@x.example']],
    ['a Delivered-To that is no address', 'Delivered-To: alice\nTo: t@x.example', ['t@x.example']],
    ['none', 'Subject: s', []],
  ])('has the recipients of %s', (_, head, recipients) => {
    expect(read(head).recipients).toEqual(recipients);
  });

  it('has no more recipients than a session may have', () => {
    const many = Array.from({ length: 300 }, (_, i) => `r${i}@x.example`).join(', ');
    expect(read(`To: ${many}`, 200).recipients).toHaveLength(200);
  });

  it('has the time of the uppermost Received field, else of Date, else none', () => {
    const received = 'Received: from a by b; Mon, 23 Nov 2026 08:00:00 +0100 (CET)';
    expect(read(`${received}\nDate: Sun, 22 Nov 2026 08:00:00 +0000`).receivedAt).toBe(Date.UTC(2026, 10, 23, 7));
    expect(read('Date: Sun, 22 Nov 2026 08:00:00 +0000').receivedAt).toBe(Date.UTC(2026, 10, 22, 8));
    expect(read('Date: yesterday').receivedAt).toBeUndefined();
  });
});
