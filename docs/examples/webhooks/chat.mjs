// Passes messages on to Slack (TARGET_FORMAT=slack) or to a workflow of Microsoft Teams (TARGET_FORMAT=teams).
// TARGET_URL is the address that Slack or Teams gave out; it is a secret.
import { headline, listen } from './receive.mjs';

const SIGNS = { critical: '🔴', error: '🔴', warning: '🟠', informative: '🔵', diagnostic: '⚪' };

/** Slack reads `&`, `<` and `>` as marks; hostile text must not make a link or call everybody. */
export function slack(message) {
  const text = `${SIGNS[message.severity] ?? ''} ${headline(message)}`.slice(0, 3000);
  const safe = text.replace(/[&<>]/g, (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[mark]);
  return { text: message.traceId === null ? safe : `${safe}\n${message.traceId}`, unfurl_links: false, mrkdwn: false };
}

/** An adaptive card; its texts are Markdown, of which nothing is to work. */
export function teams(message) {
  const plain = headline(message)
    .slice(0, 3000)
    .replace(/[\\`*_{}[\]()#+!|<>-]/g, '\\$&');
  const facts = [
    { title: 'Severity', value: message.severity },
    { title: 'Node', value: message.node },
    ...(message.traceId === null ? [] : [{ title: 'Message', value: message.traceId }]),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      { type: 'TextBlock', text: plain, wrap: true, weight: 'bolder' },
      { type: 'FactSet', facts },
    ],
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

if (import.meta.filename === process.argv[1]) {
  const { TARGET_URL, TARGET_FORMAT = 'slack' } = process.env;
  if (!TARGET_URL) throw new Error('set TARGET_URL');
  const make = TARGET_FORMAT === 'teams' ? teams : slack;
  listen(async (message) => {
    const answer = await fetch(TARGET_URL, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(make(message)),
      redirect: 'error',
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) throw new Error(`the chat answered ${answer.status}`);
  });
}
