import { isOle, OleFile } from '../objects/ole-file.js';
import { hasMacroSheet } from '../objects/ole-macros.js';
import { vbaSource } from './vba-source.js';

/** Procedures that Office runs by itself (MS-OVBA knows none of it; the names are those of the object models). */
const AUTO_RUN =
  /\b(auto_?(?:exec|open|close|exit|new|activate)|document_?(?:open|close|new|beforeclose|change|contentcontrolonenter)|workbook_?(?:open|activate|beforeclose|close|newsheet)|worksheet_(?:activate|calculate|change)|(?:slideshow|app)_?\w{0,20}(?:begin|nextslide|open)|\w{1,40}_(?:layout|painted|mousemove|gotfocus|initialize))\s*\(/gi;
/** What macros use to reach beyond the document. */
const REACHES =
  /\b(shell(?:execute)?|createobject|getobject|callbyname|wscript\.shell|powershell|urldownloadtofile|xmlhttp|winhttp|adodb\.stream|filesystemobject|environ|vba\.shell|executeexcel4macro|virtualalloc|createthread|declare\s+(?:ptrsafe\s+)?(?:function|sub))\b/gi;
const MAX_NAMES = 8;

/**
 * What a macro in a document does, as far as its source tells: procedures that run by themselves, and calls that reach
 * beyond the document. Only names of the language and the object models, never text of the document.
 */
export function macroReport(document: Buffer): string {
  const source = vbaSource(document);
  const runs = names(source, AUTO_RUN, true);
  const uses = names(source, REACHES, false);
  const parts: string[] = [];
  if (isOle(document) && hasMacroSheet(new OleFile(document))) parts.push('of Excel 4.0');
  if (runs.length > 0) parts.push(`that runs by itself (${runs.join(', ')})`);
  if (uses.length > 0) parts.push(`that uses ${uses.join(', ')}`);
  return parts.length === 0 ? 'carries a macro' : `carries a macro ${parts.join(' and ')}`;
}

/** Distinct hits in the order of the text, in the spelling of the first one. */
function names(source: string, pattern: RegExp, isProcedure: boolean): string[] {
  const found = new Map<string, string>();
  for (const hit of source.matchAll(pattern)) {
    if (found.size >= MAX_NAMES) break;
    // A call of a procedure is none that runs by itself.
    if (isProcedure && !/\b(?:sub|function)\s+$/i.test(source.slice(Math.max(0, hit.index - 40), hit.index))) continue;
    const name = (hit[1] ?? '').replace(/\s+/g, ' ');
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, name);
  }
  return [...found.values()];
}
