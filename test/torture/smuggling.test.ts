import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../smtp/harness.js';
import { makeSite, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { startLenientSmtp, type LenientSmtp } from '../support/lenient-smtp.js';

/** `npm run torture` cuts every trick at every place; otherwise only those that have names. */
const LONG = process.env['TORTURE'] === 'long';

const ENDS = ['\n', '\r', '\r\n', '\r\n\0', '\0\r\n', '\r\0\n', '\r\r\n', '\n\r'];
const NAMED = new Set(
  ['\n.\n', '\n.\r', '\r.\n', '\r.\r', '\n.\r\n', '\r.\r\n', '\r\n\0.\r\n', '\r\n.\n', '\r\n.\r', '\r\n.\0\r\n'].concat(
    ['\r\n.\r\r\n', '\r\r\n.\r\r\n', '\r\n..\r\n', '\n..\n', '\r..\r'],
  ),
);

/** All ways to put a dot, or two, between two things that are a line end for somebody; without the true end of data. */
const TRICKS = ENDS.flatMap((before) => ENDS.flatMap((after) => [`${before}.${after}`, `${before}..${after}`])).filter(
  (trick) => !trick.includes('\r\n.\r\n'),
);

const SMUGGLED =
  'MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n';

const RULES = { 'rules/10-all.yaml': 'rules:\n  - id: all\n    process: skip\n' };

/** What a strict reader takes the text for: its lines, once bare CR and LF have become line ends and NUL is gone. */
function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/).map((line) => line.replaceAll('\0', ''));
}

/** Dots are taken out behind CRLF only. */
function unstuffed(text: string): string {
  return text.replaceAll('\r\n.', '\r\n');
}

for (const policy of ['normalize', 'reject']) {
  describe(`mail with an end of data that is none, under ${policy}`, () => {
    let hop: LenientSmtp;
    let site: Site;
    let gateway: RunningGateway;
    let client: Client;
    beforeAll(async () => {
      hop = await startLenientSmtp();
      const listen = `smtp: { listen: ["127.0.0.1:0"], lineEndings: ${policy} }\n`;
      const delivery = `delivery: { nextHop: "smtp://127.0.0.1:${hop.port}" }\n`;
      site = await makeSite(`${listen}${delivery}data: ./data\nhttp: { listen: off }\n`, RULES);
      gateway = await startGatewayProcess(site);
      client = await Client.connect(gateway.port);
      await client.hello();
    });
    afterAll(async () => {
      client.destroy();
      await gateway.stop();
      await hop.close();
      await site.remove();
    });

    /** Sends one mail in pieces. @returns the lines that the next hop got as its body; none where it got nothing */
    async function send(pieces: readonly string[]): Promise<{ reply: string; mails: string[][] }> {
      hop.mails.length = 0;
      hop.commands.length = 0;
      for (const line of ['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA']) await client.command(line);
      for (const piece of pieces) await client.flush(Buffer.from(piece, 'latin1'));
      const reply = await client.reply();
      // Whatever had been taken for a command would have been answered before this one is.
      expect(await client.command('VRFY end')).toMatch(/^252 /);
      for (const command of hop.commands) {
        expect(command).toMatch(/^(?:EHLO|MAIL FROM:<a@example\.net>|RCPT TO:<b@example\.org>|DATA|RSET|QUIT)/);
      }
      return { reply, mails: hop.mails.map(({ lines }) => [...lines.slice(lines.indexOf('') + 1)]) };
    }

    async function check(trick: string, at?: number): Promise<void> {
      const head = 'Subject: x\r\n\r\nfirst';
      const body = `first${trick}${SMUGGLED}`;
      const text = `${head}${trick}${SMUGGLED}.\r\n`;
      const pieces = at === undefined ? [text] : [text.slice(0, at), text.slice(at)];
      const { reply, mails } = await send(pieces);
      const odd = /\0|\r(?!\n)|(?<!\r)\n/.test(trick);
      const shown = JSON.stringify({ trick, at, reply });
      if (odd && policy === 'reject') {
        expect(reply, shown).toMatch(/^550 5\.6\.0 /);
        expect(mails, shown).toEqual([]);
        return;
      }
      expect(reply, shown).toMatch(/^250 2\.0\.0 /);
      expect(mails, shown).toEqual([linesOf(unstuffed(body)).slice(0, -1)]);
    }

    it('is one mail, or none', async () => {
      for (const trick of TRICKS) await check(trick);
    });

    it('is the same in every two pieces', { timeout: 3_600_000 }, async () => {
      let cases = 0;
      for (const trick of LONG ? TRICKS : NAMED) {
        const start = 'Subject: x\r\n\r\nfirst'.length;
        for (let at = start; at <= start + trick.length + 1; at += 1) {
          await check(trick, at);
          cases += 1;
        }
      }
      if (LONG) process.stdout.write(`smuggling under ${policy}: ${TRICKS.length} tricks, ${cases} cuts, none split\n`);
    });
  });
}
