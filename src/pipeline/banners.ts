import { moduleUrl } from '../config/modules.js';
import type { Banner, Banners } from '../message/edit/banners.js';
import type { BannerSource } from '../rules/model.js';
import type { Decision } from '../rules/types.js';
import type { BannerSubject, BannerWriter } from './types.js';

interface BannerModule {
  createBannerWriter(data: unknown): BannerWriter;
}

/**
 * Loads what fills in the texts that a rule set uses. It stands above this folder, so the rule set names it.
 * @throws Error when it cannot be loaded
 */
export async function openBannerWriter(source: BannerSource | undefined): Promise<BannerWriter | undefined> {
  if (source === undefined) return undefined;
  const loaded: unknown = await import(moduleUrl(source.module).href);
  if (!isBannerModule(loaded)) throw new Error(`${source.module} fills in no texts`);
  return loaded.createBannerWriter(source.data);
}

/** The texts that a decision puts into the message, filled in; notes tell of those that could not be. */
export function bannersFor(
  decision: Decision,
  subject: BannerSubject,
  writer: BannerWriter | undefined,
): { readonly banners: Banners; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const fill = (names: readonly string[]): Banner[] =>
    names.flatMap((name) => {
      const text = writeOne(name, subject, writer);
      if (text === undefined) notes.push(`left out ${name}: its template cannot be filled in`);
      return text === undefined || (text.text === '' && text.html === '') ? [] : [{ name, ...text }];
    });
  return { banners: { warn: fill(decision.warn), disclaimer: fill(decision.disclaimer) }, notes };
}

/** A template that fails on one message must not cost the message. */
function writeOne(name: string, subject: BannerSubject, writer: BannerWriter | undefined) {
  try {
    return writer?.write(name, subject);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function isBannerModule(value: unknown): value is BannerModule {
  return (
    typeof value === 'object' &&
    value !== null &&
    'createBannerWriter' in value &&
    typeof value.createBannerWriter === 'function'
  );
}
