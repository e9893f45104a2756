// Messages a second and CPU per message of a gateway with one and with several processes (smtp.processes), in one run.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MESSAGES } from './messages.mjs';
import { folder, need, rate, send, startGateway, startSink, stop, table } from './support.mjs';

const { values: options } = parseArgs({
  options: {
    processes: { type: 'string', default: '1,2' },
    seconds: { type: 'string', default: '6' },
    sessions: { type: 'string', default: '20' },
    kind: { type: 'string', default: '20 KB newsletter' },
    help: { type: 'boolean' },
  },
});
if (options.help || MESSAGES[options.kind] === undefined) {
  const kinds = Object.keys(MESSAGES).join(', ');
  process.stdout.write(
    `npm run bench:processes [-- --processes 1,2 --seconds 6 --sessions 20 --kind "20 KB newsletter"]\nkinds: ${kinds}\n`,
  );
  process.exit(options.help ? 0 : 2);
}
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
