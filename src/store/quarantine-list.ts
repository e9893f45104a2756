import { sql, type Selectable } from 'kysely';
import type { Database, Tables } from './database.js';
import { toText } from './json.js';
import type { QuarantineFilter, QuarantineItem, QuarantineRecord } from './types.js';

type Row = Selectable<Tables['gatepost.quarantine']>;

/** What a list needs: without the decision trace, which can be long. */
export const itemColumns = [
  'id',
  'time',
  'node',
  'envelope',
  'recipients',
  'subject',
  'message_id',
  'size',
  'rules',
  'findings',
  'state',
] as const satisfies readonly (keyof Row)[];

type ItemRow = Pick<Row, (typeof itemColumns)[number]>;

/** The newest items that fit. @param before the item behind which the page begins */
export async function listPage(
  database: Database,
  filter: QuarantineFilter,
  limit: number,
  before?: Pick<QuarantineItem, 'id' | 'time'>,
): Promise<readonly QuarantineItem[]> {
  await database.ready();
  let query = database.db.selectFrom('gatepost.quarantine').select(itemColumns);
  const { id, rule, finding, sender, recipient, since, until } = filter;
  if (id !== undefined) query = query.where(sql<boolean>`id LIKE ${likeOf(`${id.toUpperCase()}*`)}`);
  if (rule !== undefined)
    query = query.where(sql<boolean>`EXISTS (SELECT FROM unnest(rules) r WHERE r ILIKE ${likeOf(rule)})`);
  if (finding !== undefined) {
    const mask = likeOf(finding);
    query = query.where(sql<boolean>`(EXISTS (SELECT FROM jsonb_array_elements(findings) f
        WHERE f->>'module' ILIKE ${mask} OR f->>'status' ILIKE ${mask} OR f->>'name' ILIKE ${mask}
          OR (f->>'module') || '.' || (f->>'status') ILIKE ${mask})
      OR EXISTS (SELECT FROM jsonb_array_elements(decisions) d, jsonb_array_elements(d->'decision'->'fired') f
        WHERE f->>'key' ILIKE ${mask}))`);
  }
  // The null sender is an empty text.
  if (sender !== undefined)
    query = query.where(sql<boolean>`envelope->>'sender' ILIKE ${likeOf(sender === '<>' ? '' : sender)}`);
  if (recipient !== undefined)
    query = query.where(sql<boolean>`EXISTS (SELECT FROM unnest(recipients) r WHERE r ILIKE ${likeOf(recipient)})`);
  if (since !== undefined) query = query.where('time', '>=', since);
  if (until !== undefined) query = query.where('time', '<', until);
  if (before !== undefined)
    query = query.where(sql<boolean>`(time, id) < (${before.time}::timestamptz, ${before.id}::text)`);
  const rows = await query.orderBy('time', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toItem);
}

export function toItem(row: ItemRow): QuarantineItem {
  const { message_id, size, ...rest } = row;
  return { ...rest, messageId: message_id, size: Number(size) };
}

export function toRecord(row: ItemRow & Pick<Row, 'decisions' | 'releases'>): QuarantineRecord {
  const { decisions, releases, ...rest } = row;
  return {
    ...toItem(rest),
    decisions,
    releases: releases.map((release) => ({ ...release, time: new Date(release.time) })),
  };
}

/** A mask with `*` and `?` as a pattern of LIKE. */
export function likeOf(mask: string): string {
  return toText(mask)
    .replace(/[\\%_]/g, '\\$&')
    .replace(/\*/g, '%')
    .replace(/\?/g, '_');
}
