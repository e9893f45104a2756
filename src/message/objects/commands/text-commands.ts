import { fieldCodes, startsProgram } from './field-codes.js';

/** How much of a file is looked through. */
const MAX_LOOK = 4 * 1024 * 1024;
/** A spreadsheet program takes text under these names as a table, and what starts like a formula as a formula. */
const TABLES: ReadonlySet<string> = new Set(['csv', 'tsv', 'tab', 'xls', 'xlt', 'xlm', 'slk', 'dif', 'prn']);
/** `service|'topic'!item` in a cell (the DDE of Excel). */
const TABLE_DDE =
  /(?:^|[,;\t"'>])[ \t]*[=+@-][\w .\\:()*+/-]{1,200}\|[ \t]*(?:'[^'\r\n]{0,500}'|[\w.]{1,100})[ \t]*![ \t]*['"A-Z_]/im;
/** A formula of a symbolic link file stands behind `E`. */
const LINK_DDE = /^C;.*;E[^;|\r\n]{1,200}\|[^!\r\n]{1,500}!/im;
/** The sheet is a macro sheet, a macro bears a name that Excel runs by itself, or a cell calls what only macros may. */
const LINK_MACRO =
  /^O;(?:.*;)?E(?:;|\s*$)|^NN;.*auto_?(?:open|close|activate)|^C;.*;E.*\b(?:EXEC|CALL|REGISTER|RUN|FOPEN)\(/im;

/** What a text file does to the program that opens it. */
export interface TextCommands {
  /** It carries macros, or has a program started (DDE). */
  readonly macro: boolean;
  /** It has a template fetched from another machine. */
  readonly remote: boolean;
}

const NOTHING: TextCommands = { macro: false, remote: false };

/**
 * Looks for commands in files that are text: tables, symbolic link files (.slk), RTF, and documents of Word kept as XML.
 * @param format as identified
 */
export function textCommands(bytes: Buffer, format: string, extension: string, mime: string): TextCommands {
  const isRtf = format === 'rtf';
  const isXml = format === 'xml' || format === 'html';
  const isTable = TABLES.has(extension) || mime === 'text/csv' || mime === 'text/tab-separated-values';
  const isLink = isSymbolicLink(bytes);
  if (!isRtf && !isXml && !isTable && !isLink) return NOTHING;
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_LOOK)).replaceAll('\0', '');
  if (isRtf) return rtfCommands(text);
  if (isLink) return { macro: LINK_MACRO.test(text) || LINK_DDE.test(text), remote: false };
  const inTable = isTable && text.includes('|') && TABLE_DDE.test(text);
  return { macro: inTable || (isXml && inXml(text)), remote: false };
}

/** The first record of a symbolic link file: the program goes by it, not by the name. */
function isSymbolicLink(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 3) === 'ID;';
}

function inXml(text: string): boolean {
  return (
    /macrosPresent\s*=\s*["'](?:yes|1|true)|pkg:name\s*=\s*["'][^"']{0,200}vbaProject/i.test(text) ||
    startsProgram(fieldCodes(text))
  );
}

function rtfCommands(text: string): TextCommands {
  const codes: string[] = [];
  for (const { index } of text.matchAll(/\\fldinst/g)) {
    // Words of RTF and groups stand between the pieces of a code; a hexadecimal letter is one all the same.
    const code = text
      .slice(index + 8, index + 2048)
      .replace(/\\'([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/\\fldrslt[^]*$/, '')
      .replace(/\\[a-z]+-?\d* ?|[{}\r\n]/gi, '');
    codes.push(code);
    if (codes.length >= 1000) break;
  }
  const template = /\\template[\s{}]*([^{}\r\n]{1,300})/i.exec(text)?.[1] ?? '';
  return { macro: startsProgram(codes.join('\n')), remote: isRemote(template) };
}

/** Whether a place is on another machine: an address, or a path that starts with two slashes. */
export function isRemote(place: string): boolean {
  return /^\s*(?:https?:|ftp:|webdav|mhtml:|\\\\|\/\/|file:(?:\/{4,}|\/\/[^/\\]|[\\]{2,}|\/{2,3}\\\\))/i.test(place);
}
