// Messages a second and CPU per message of a gateway with one and with several processes (smtp.processes), in one run.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MESSAGES } from './messages.mjs';
import { folder, need, optionsOf, rate, send, startGateway, startSink, stop, table } from './support.mjs';

const options = optionsOf('bench:processes', {
  processes: '1,2',
  seconds: '6',
  sessions: '20',
  kind: '20 KB newsletter',
});
need({ 'smtp-source': 'postfix', 'smtp-sink': 'postfix' });
const file = path.join(folder, 'message');
writeFileSync(file, MESSAGES[options.kind](), 'latin1');
const sink = await startSink();

const measured = [];
for (const count of options.processes.split(',').map(Number)) {
  const gateway = await startGateway({
    hop: sink.port,
    config: 'trusted: [127.0.0.1]\n',
    smtp: `processes: ${count}`,
  });
  const load = async (messages) =>
    await send({ port: gateway.port, file, count: messages, sessions: Number(options.sessions) });
  measured.push({ count, ...(await rate(load, Number(options.seconds), gateway)) });
  await stop(gateway.child);
}
await stop(sink.child);
const [one] = measured;
process.stdout.write(
  `${table([
    ['processes', 'messages/s', 'beside the first', 'CPU ms', 'beside the first'],
    ...measured.map((row) => [
      String(row.count),
      row.rate.toFixed(0),
      `${(row.rate / one.rate).toFixed(2)}x`,
      row.cpu.toFixed(2),
      `${(row.cpu / one.cpu).toFixed(2)}x`,
    ]),
  ])}\n`,
);
process.exit(0);
