// Where the time of a message goes: flame graphs of the session loop and of a scanning thread under load.
// usage: npm run bench:profile [-- --messages 8000 --kind "2 KB text" --out docs/pictures]. Needs Linux and Postfix.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { flameGraph, foldStacks } from './flame.mjs';
import { MESSAGES } from './messages.mjs';
import { folder, need, optionsOf, send, startGateway, startSink, stop } from './support.mjs';

const options = optionsOf('bench:profile', { messages: '8000', kind: '2 KB text', out: 'docs/pictures' });
need({ 'smtp-source': 'postfix', 'smtp-sink': 'postfix' });
const file = path.join(folder, 'message');
writeFileSync(file, MESSAGES[options.kind](), 'latin1');
const profiles = path.join(folder, 'profiles');
const sink = await startSink();
const gateway = await startGateway({
  hop: sink.port,
  config: 'trusted: [127.0.0.1]\n',
  flags: ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
  // Not the bundle: in its files one does not tell libraries from our own code.
  program: path.join(import.meta.dirname, '..', 'dist', 'cli', 'main.js'),
});
const count = Number(options.messages);
process.stderr.write(`${count} messages of "${options.kind}" ...\n`);
await send({ port: gateway.port, file, count, sessions: 20 });
// The profiles are written when it ends by itself.
await stop(gateway.child);
await stop(sink.child);

// CPU.date.time.pid.thread.seq.cpuprofile: thread 0 is the main one; the scanning threads do the same each.
const written = readdirSync(profiles).sort();
mkdirSync(options.out, { recursive: true });
for (const [thread, name, title] of [
  ['0', 'flame-sessions', 'The session loop'],
  ['1', 'flame-scan', 'A scanning thread'],
]) {
  const found = written.find((entry) => entry.split('.')[4] === thread);
  if (found === undefined) throw new Error(`there is no profile of thread ${thread}: ${written.join(', ')}`);
  const root = foldStacks(JSON.parse(readFileSync(path.join(profiles, found), 'utf8')));
  const picture = path.join(options.out, `${name}.svg`);
  writeFileSync(picture, flameGraph(root, `${title}, ${options.kind}`));
  process.stdout.write(`${picture}\n`);
}
process.exit(0);
