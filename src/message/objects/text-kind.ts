import type { Kind } from './magic.js';

/** How much of a file is looked at to tell text from binary. */
const SAMPLE = 4096;
/** Control characters but tab, line ends, form feed and escape. */
const NO_TEXT = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** Interpreters run a file by its name alone: for these text is a script. */
const SCRIPT_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['js', 'js'],
  ['jse', 'js'],
  ['mjs', 'js'],
  ['vbs', 'vbs'],
  ['vbe', 'vbs'],
  ['wsf', 'wsf'],
  ['wsh', 'wsf'],
  ['wsc', 'wsf'],
  ['sct', 'wsf'],
  ['hta', 'hta'],
  ['ps1', 'ps1'],
  ['psm1', 'ps1'],
  ['psd1', 'ps1'],
  ['ps1xml', 'ps1'],
  ['bat', 'bat'],
  ['cmd', 'bat'],
  ['sh', 'sh'],
  ['bash', 'sh'],
  ['py', 'python'],
  ['pyw', 'python'],
  ['pl', 'perl'],
  ['rb', 'ruby'],
  ['php', 'php'],
  ['lua', 'lua'],
  ['reg', 'reg'],
  ['inf', 'inf'],
  ['scf', 'scf'],
  ['url', 'url'],
  ['applescript', 'applescript'],
  ['settingcontent-ms', 'settingcontent'],
  ['vb', 'vbs'],
  ['iqy', 'iqy'],
  ['library-ms', 'library'],
  ['search-ms', 'search'],
  ['searchconnector-ms', 'search'],
  ['jnlp', 'jnlp'],
  ['appref-ms', 'appref'],
  ['application', 'clickonce'],
  ['msc', 'msc'],
  ['desktop', 'desktop'],
  ['command', 'sh'],
  ['xsl', 'xsl'],
  ['theme', 'theme'],
  ['rdp', 'rdp'],
  ['wsb', 'wsb'],
  ['appinstaller', 'appinstaller'],
  ['vsto', 'clickonce'],
  ['xbap', 'clickonce'],
  ['webloc', 'url'],
  ['website', 'url'],
  ['inetloc', 'url'],
  ['fileloc', 'url'],
  ['terminal', 'terminal'],
  ['au3', 'autoit'],
  ['a3x', 'autoit'],
  ['ahk', 'autohotkey'],
  ['oqy', 'iqy'],
  ['rqy', 'iqy'],
  ['dqy', 'iqy'],
]);

/** Whether a file of this extension is run by its name alone, whatever is in it. */
export function runsByName(extension: string): boolean {
  return SCRIPT_EXTENSIONS.has(extension);
}

/** These run or are opened as what they are, whatever their name is. */
const ITSELF: ReadonlySet<string> = new Set(['executable', 'script', 'archive', 'disk-image']);

/**
 * What an interpreter or a browser makes of a file whose name it goes by, although it starts like a picture, a document,
 * a database or the like; undefined when it makes nothing of it.
 */
export function runningAs({ type }: Kind, bytes: Buffer, extension: string): Kind | undefined {
  if (ITSELF.has(type)) return undefined;
  const format = SCRIPT_EXTENSIONS.get(extension);
  if (format !== undefined) return { type: 'script', format };
  return PAGES.has(extension) && isActive(bytes) ? { type: 'script', format: 'html' } : undefined;
}

/** What a browser takes for a page by its name. */
export const PAGES: ReadonlySet<string> = new Set(['html', 'htm', 'xhtml', 'xht', 'shtml', 'shtm', 'svg']);
/** The same by its media type, which clients go by where the name says nothing. */
export const PAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ['text/html', 'html'],
  ['application/xhtml+xml', 'xhtml'],
  ['image/svg+xml', 'svg'],
]);

/** The extension by which a file is opened: its own, or that of a page where it has none. */
export function openedAs(extension: string, mime: string): string {
  return extension === '' ? (PAGE_TYPES.get(mime) ?? '') : extension;
}

/** Text, script or unknown: for bytes without a known signature. */
export function byText(bytes: Buffer, extension: string): Kind {
  const sample = bytes.subarray(0, SAMPLE);
  const text = asText(sample);
  if (text === undefined) {
    // A compiled or encoded script is no text, and runs all the same.
    const encoded = SCRIPT_EXTENSIONS.get(extension);
    // Browsers pass over bytes that no text holds.
    if (PAGES.has(extension) && isActive(bytes)) return { type: 'script', format: 'html' };
    return encoded === undefined || bytes.length === 0
      ? { type: 'other', format: '' }
      : { type: 'script', format: encoded };
  }
  const head = text.trimStart().slice(0, 512).toLowerCase();
  if (head.startsWith('#!')) return { type: 'script', format: shebang(head) };
  const byName = SCRIPT_EXTENSIONS.get(extension);
  if (byName !== undefined) return { type: 'script', format: byName };
  if (head.startsWith('#@~^')) return { type: 'script', format: 'jse' };
  if (head.startsWith('<?php')) return { type: 'script', format: 'php' };
  if (head.includes('<hta:application')) return { type: 'script', format: 'hta' };
  if (/^(@echo off|@if |@set )/.test(head)) return { type: 'script', format: 'bat' };
  const format = textFormat(head, extension);
  if (format === 'html' || format === 'svg') return { type: isActive(bytes) ? 'script' : 'text', format };
  // Browsers show any XML, and as a page what is in the name space of one.
  if (format === 'xml' && isActive(bytes, PAGE_SPACE)) return { type: 'script', format: 'html' };
  return { type: 'text', format };
}

/** How much of a page is looked through for what runs in it. */
const MAX_PAGE = 32 * 1024 * 1024;
/** What makes a page run code when it is opened: it is a program for the browser, whatever else it shows. */
const ACTIVE = new RegExp(
  [
    '<(?:[\\w.-]{1,40}:)?(?:script|embed|object|applet|foreignobject)[\\s/>]',
    '\\bon(?:load|unload|error|abort|click|dblclick|auxclick|contextmenu|mouse|pointer|touch|got|wheel|scroll|resize|key|' +
      'focus|blur|input|change|select|submit|begin|end|repeat|start|finish|bounce|toggle|beforetoggle|page|hashchange|' +
      'popstate|message|animation|transition|webkit|content|before|after|can|play|pause|progress|stalled|suspend|' +
      'emptied|duration|timeupdate|seek|waiting|volume|drag|drop|copy|cut|paste|slotchange|security|readystate|' +
      'propertychange)[a-z]{0,40}\\s*=',
    'javascript\\s*:|vbscript\\s*:|srcdoc\\s*=|http-equiv\\s*=\\s*["\']?refresh',
    // An entity that stands for markup.
    '<!entity[^<>]{0,400}(?:&#|%[a-z])',
  ].join('|'),
  'i',
);
/** The name spaces of HTML and SVG. */
const PAGE_SPACE = /http:\/\/www\.w3\.org\/(?:1999\/xhtml|2000\/svg)/;

function isActive(bytes: Buffer, besides?: RegExp): boolean {
  const page = pageText(bytes.subarray(0, MAX_PAGE));
  return (besides === undefined || besides.test(page)) && ACTIVE.test(page);
}

/** In whatever encoding: what is looked for is ASCII. */
function pageText(page: Buffer): string {
  const wide = (page[0] === 0xff && page[1] === 0xfe) || (page[0] === 0xfe && page[1] === 0xff);
  return wide ? page.toString('latin1').replaceAll('\0', '') : page.toString('latin1');
}

function shebang(head: string): string {
  const line = head.slice(2).split('\n', 1)[0] ?? '';
  const name = /([a-z]+)[0-9.]*\s*$/.exec(line.replace(/\s-\S+/g, '').trimEnd());
  return name?.[1] ?? 'sh';
}

function textFormat(head: string, extension: string): string {
  if (/^(<!doctype html|<html|<head|<body)/.test(head)) return 'html';
  if (head.startsWith('<svg') || (head.startsWith('<?xml') && head.includes('<svg'))) return 'svg';
  if (PAGES.has(extension)) return extension === 'svg' ? 'svg' : 'html';
  if (head.startsWith('<?xml')) return 'xml';
  if (head.startsWith('begin:vcalendar')) return 'ics';
  if (head.startsWith('begin:vcard')) return 'vcf';
  return 'txt';
}

/** The sample as text, or undefined when it holds bytes that no text holds. */
function asText(sample: Buffer): string | undefined {
  if (sample.length >= 2) {
    if (sample[0] === 0xff && sample[1] === 0xfe) return sample.toString('utf16le', 2, sample.length & ~1);
    if (sample[0] === 0xfe && sample[1] === 0xff) {
      return Buffer.from(sample.subarray(0, sample.length & ~1))
        .swap16()
        .toString('utf16le', 2);
    }
  }
  const start = sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf ? 3 : 0;
  const text = sample.toString('latin1', start);
  return NO_TEXT.test(text) ? undefined : text;
}
