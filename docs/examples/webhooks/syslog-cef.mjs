// Passes messages on to a syslog server (RFC 5424 over UDP) as CEF, which most SIEM systems read.
// SYSLOG_HOST (default 127.0.0.1), SYSLOG_PORT (default 514)
import { createSocket } from 'node:dgram';
import { headline, listen } from './receive.mjs';

const CEF_SEVERITY = { diagnostic: 1, informative: 3, warning: 5, error: 8, critical: 10 };
const SYSLOG_SEVERITY = { diagnostic: 7, informative: 6, warning: 4, error: 3, critical: 2 };
/** Facility local0. */
const FACILITY = 16;

const oneLine = (text) =>
  String(text)
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, 500);
const inHeader = (text) => oneLine(text).replace(/[\\|]/g, '\\$&');
const inValue = (text) => oneLine(text).replace(/[\\=]/g, '\\$&');

/** The message as one line of CEF. */
export function cef(message) {
  const name =
    message.kind === 'event' ? message.event : message.kind === 'rule' ? message.rules[0]?.id : message.class;
  const mail = message.message;
  const fields = {
    rt: Date.parse(message.time),
    dvchost: message.node,
    externalId: message.traceId ?? message.id,
    msg: headline(message),
    ...(mail === undefined ? {} : { suser: mail.sender, src: mail.senderIp, duser: mail.affectedRecipients.join(',') }),
    ...(message.kind === 'rule' ? { act: message.action } : {}),
  };
  const extension = Object.entries(fields).map(([key, value]) => `${key}=${inValue(value)}`);
  const header = ['CEF:0', 'Gatepost', 'Gatepost', '1', `${message.kind}:${name ?? 'test'}`, headline(message)];
  const [version, ...rest] = header;
  return `${[version, ...rest.map(inHeader), CEF_SEVERITY[message.severity]].join('|')}|${extension.join(' ')}`;
}

/** With the header of RFC 5424. */
export function syslog(message) {
  const priority = FACILITY * 8 + SYSLOG_SEVERITY[message.severity];
  return `<${priority}>1 ${message.time} ${message.node} gatepost - ${message.kind} - ${cef(message)}`;
}

if (import.meta.filename === process.argv[1]) {
  const { SYSLOG_HOST = '127.0.0.1', SYSLOG_PORT = '514' } = process.env;
  const socket = createSocket('udp4');
  listen(async (message) => {
    await new Promise((resolve, reject) => {
      socket.send(syslog(message), Number(SYSLOG_PORT), SYSLOG_HOST, (error) => (error ? reject(error) : resolve()));
    });
  });
}
