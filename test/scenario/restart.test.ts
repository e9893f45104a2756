import { afterEach, expect, it } from 'vitest';
import { Client } from '../smtp/harness.js';
import { makeSite } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { has } from '../support/programs.js';
import { startUnderManager } from '../support/service-manager.js';
import { until } from '../support/until.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it.skipIf(!has('perl'))(
  'refuses no connection while it is restarted under a service manager that holds its socket',
  async () => {
    const site = await makeSite('smtp: { listen: ["127.0.0.1:0"] }\ndelivery: { nextHop: "maildir:./inbox" }\n');
    closing.push(() => site.remove());
    const seen = startUnderManager(site.config);
    closing.push(() => seen.stop());
    await until('the first start', () => Promise.resolve(seen.starts === 1));

    const state = { taken: 0, told: 0, refused: [] as string[], over: false };
    const sender = (async () => {
      while (!state.over) {
        const client = await Client.connect(seen.port);
        const greeting = await client.reply();
        if (!greeting.startsWith('220')) state.refused.push(greeting);
        const reply = await client
          .command('EHLO client.example')
          .then(() => client.send(makeMail(`text ${state.taken}`)))
          .catch((error: unknown) => String(error));
        // Between the commands of a session a client may be told to come back.
        if (reply.startsWith('250')) state.taken += 1;
        else state.told += 1;
        client.destroy();
      }
    })();
    await until('some mail', () => Promise.resolve(state.taken >= 20));
    process.kill(seen.child, 'SIGTERM');
    await until('the second start', () => Promise.resolve(seen.starts === 2));
    const before = state.taken;
    await until('mail after the restart', () => Promise.resolve(state.taken >= before + 20));
    state.over = true;
    await sender;

    expect(state.refused).toEqual([]);
    expect(state.told).toBeLessThanOrEqual(1);
    await until('all mail in the inbox', async () => (await site.inbox()).length === state.taken);
  },
);
