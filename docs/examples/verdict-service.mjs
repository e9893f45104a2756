// A verdict service for the detector `external`: programs are `suspicious`, hashes that it was told are `malicious`.
// While it is at work it answers 202 and where to ask again. Verdicts are kept by the hash of the message.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

const known = new Set((process.env.MALICIOUS ?? '').split(','));
const verdicts = new Map();

async function analyse({ sha256, objects }) {
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.TAKES ?? 0)));
  const judged = objects.map((one) => ({ ...one, status: known.has(one.sha256) ? 'malicious' : 'suspicious' }));
  const bad = judged.filter((one) => one.status === 'malicious' || one.type === 'executable');
  verdicts.set(sha256, { findings: bad.map(({ path, status }) => ({ object: path, status, name: 'Example' })) });
}

const server = createServer(async (request, response) => {
  const message = request.method === 'POST' ? await json(request) : { sha256: request.url.split('/').at(-1) };
  if (request.method === 'POST' && !verdicts.has(message.sha256)) {
    verdicts.set(message.sha256, undefined);
    await Promise.race([analyse(message), new Promise(setImmediate)]);
  }
  const verdict = verdicts.get(message.sha256);
  response.statusCode = verdict === undefined ? 202 : 200;
  response.end(JSON.stringify(verdict ?? { poll: `/verdict/${message.sha256}` }));
});
server.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () => console.log(`port ${server.address().port}`));
