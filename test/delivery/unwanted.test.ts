import { afterEach, expect, it } from 'vitest';
import { openHop } from '../../src/delivery/hop.js';
import { contentOf, memorySource } from '../../src/message/source.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeMail } from '../support/mail.js';

let server: FakeSmtp;
afterEach(async () => {
  await server.close();
});

it('a mail that is not wanted any more when its data have been asked for is given up before their end, and can be sent again', async () => {
  server = await startFakeSmtp();
  const hop = openHop(`${server.url}?tls=off`, { hostname: 'mx.example.org', folder: '/' });
  const mail = {
    id: 'n1',
    sender: '',
    recipients: [{ address: 'b@example.org' }],
    content: contentOf(memorySource([makeMail('text')])),
    smtpUtf8: false,
    eightBit: false,
  };
  const asked: number[] = [];
  const first = await hop.send({
    ...mail,
    wanted: () => {
      asked.push(server.dialogue.filter((line) => line.endsWith(' DATA')).length);
      return false;
    },
  });
  // Asked at the last moment.
  expect(asked).toEqual([1]);
  expect(first.recipients).toMatchObject([
    { state: 'deferred', reply: { text: 'given up: it was held up for too long' } },
  ]);
  expect(first.hopFailed).toBe(false);
  expect(first.inDoubt).toBeUndefined();
  const second = await hop.send({ ...mail, wanted: () => true });
  expect(second.recipients).toMatchObject([{ state: 'delivered' }]);
  expect(server.mails).toHaveLength(1);
  await hop.close();
});
