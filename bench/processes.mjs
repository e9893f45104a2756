// Messages a second and CPU per message of a gateway with one and with several processes (smtp.processes), in one run.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MESSAGES } from './messages.mjs';
import { folder, inTurns, need, optionsOf, send, startGateway, startSink, stop, table } from './support.mjs';

const options = optionsOf('bench:processes', {
  processes: '1,2',
  seconds: '20',
  sessions: '20',
  kind: '20 KB newsletter',
});
need({ 'smtp-source': 'postfix', 'smtp-sink': 'postfix' });
const file = path.join(folder, 'message');
writeFileSync(file, MESSAGES[options.kind](), 'latin1');
const sink = await startSink();

const gateways = [];
for (const count of options.processes.split(',').map(Number)) {
  const gateway = await startGateway({
    hop: sink.port,
    config: 'trusted: [127.0.0.1]\n',
    smtp: `processes: ${count}`,
  });
  gateways.push({ name: String(count), gateway });
}
const measured = await inTurns(
  gateways.map(({ name, gateway }) => ({
    name,
    beside: gateways[0].name,
    load: (count) => send({ port: gateway.port, file, count, sessions: Number(options.sessions) }),
    target: gateway,
  })),
  Number(options.seconds),
);
for (const { gateway } of gateways) await stop(gateway.child);
await stop(sink.child);
process.stdout.write(
  `${table([
    ['processes', 'messages/s', 'beside the first', 'of the rounds', 'CPU ms', 'beside the first', 'of the rounds'],
    ...measured.map((row) => [
      row.name,
      row.rate.toFixed(0),
      `${row.ratio.toFixed(2)}x`,
      `${row.least.toFixed(2)} to ${row.most.toFixed(2)}`,
      row.cpu.toFixed(2),
      `${row.besideCpu.ratio.toFixed(2)}x`,
      `${row.besideCpu.least.toFixed(2)} to ${row.besideCpu.most.toFixed(2)}`,
    ]),
  ])}\n`,
);
process.exit(0);
