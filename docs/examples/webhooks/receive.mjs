// What every receiver does: check the signature, answer at once, and take each message once.
// Run by itself (node receive.mjs) it prints what comes. WEBHOOK_SECRET is `secret` of the webhook.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const MAX_BODY = 1024 * 1024;
/** Seconds that a signature is good for: an old request that somebody recorded is not taken. */
const TOLERANCE = 300;

/** Whether the header's value is the signature of the body. */
export function isGenuine(header, body, secret, now = Date.now() / 1000) {
  const [, time, mac] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (time === undefined || Math.abs(now - Number(time)) > TOLERANCE) return false;
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(mac, 'hex'));
}

/** A server that hands each genuine message once to `take`; when that fails, Gatepost is asked to come again. */
export function receiver(secret, take) {
  const seen = new Set();
  return createServer((request, response) => {
    const chunks = [];
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size > MAX_BODY) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      if (!isGenuine(request.headers['x-gatepost-signature'], body, secret)) return response.writeHead(401).end();
      try {
        const message = JSON.parse(body.toString());
        if (!seen.has(message.id)) await take(message);
        seen.add(message.id);
        if (seen.size > 10_000) seen.delete(seen.values().next().value);
        response.writeHead(204).end();
      } catch (error) {
        console.error(String(error));
        response.writeHead(503).end();
      }
    });
  });
}

/** One line for people. */
export function headline(message) {
  switch (message.kind) {
    case 'rule': {
      const threats = message.objects.map((object) => object.threat || object.status).join(', ');
      return `${message.action}: mail from ${message.message.sender || '<>'}: ${threats || message.rules[0]?.name}`;
    }
    case 'event':
      return `${message.change}: ${message.event} ${message.subject} on ${message.node}: ${message.detail}`;
    default:
      return message.description;
  }
}

/** Starts a receiver on PORT (default 8099) of this machine. */
export function listen(take) {
  const secret = process.env.WEBHOOK_SECRET;
  if (!secret) throw new Error('set WEBHOOK_SECRET');
  const server = receiver(secret, take);
  server.listen(Number(process.env.PORT ?? 8099), '127.0.0.1', () => {
    console.log(`listening on ${server.address().port}`);
  });
}

if (import.meta.filename === process.argv[1]) listen((message) => console.log(JSON.stringify(message)));
