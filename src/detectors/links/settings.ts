import { isIP } from 'node:net';
import { z } from 'zod';
import { duration } from '../../config/values.js';
import { asciiHost } from './names.js';

const listOf = <T extends z.ZodType<string>>(item: T) => z.union([z.array(item), item.transform((one) => [one])]);

const domain = z.string().refine((text) => asciiHost(text.replace(/^\*\./, '')).includes('.'), {
  error: (issue) => `"${String(issue.input)}" is not a domain`,
  params: { hint: 'write it as bank.example' },
});

const server = z.string().refine(isServer, {
  error: (issue) => `"${String(issue.input)}" is not the address of a DNS server`,
  params: { hint: 'write an IP address, with a port where it is not 53, such as 127.0.0.1:53 or [::1]:53' },
});

const dnsList = z.union([
  domain.transform((zone) => ({ zone })),
  z.strictObject({
    zone: domain,
    mask: z.number().int().min(1).max(255).optional().describe('bits of the last octet of an answer that count'),
  }),
]);

export const linkSettings = z.strictObject({
  lists: listOf(z.string()).default([]).describe('files of blocked hosts, domains and addresses, one a line'),
  protect: listOf(domain).default([]).describe('domains that are guarded against imitation, besides our own'),
  allow: listOf(domain).default([]).describe('domains that are never taken for an imitation'),
  mismatch: z
    .enum(['off', 'protected', 'normal', 'strict'])
    .default('normal')
    .describe('when a link whose text names another domain is phishing'),
  shorteners: listOf(domain).default([]).describe('further services that make short addresses'),
  maxListAge: duration.optional().describe('age at which the oldest list counts as outdated'),
  dns: z
    .strictObject({
      lists: z.array(dnsList).min(1),
      servers: listOf(server).default([]).describe('default: those of the system'),
      timeout: duration.prefault('5s').describe('for all look-ups of one message'),
      maxLookups: z.int().min(1).max(500).default(50).describe('of one message'),
    })
    .optional()
    .describe('lists that are asked by DNS'),
});

export type LinkSettings = z.output<typeof linkSettings>;

function isServer(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return isIP(text) === 6;
  return isIP(match[1] ?? match[2] ?? '') !== 0 && Number(match[3] ?? 53) <= 65_535;
}
