import type { AnomalyLog } from '../structure/anomaly-log.js';
import { isPlain, tricksIn } from '../trick-characters.js';
import type { MessageObject, ObjectType } from '../types.js';
import { extensionOf, systemName } from './names.js';

/** Extensions that a reader opens without a thought, as they do not run. */
const HARMLESS =
  'txt|text|csv|log|md|jpg|jpeg|jpe|png|gif|bmp|tif|tiff|webp|heic|ico|pdf|doc|docx|dot|dotx|xls|xlsx|ppt|pptx|pps|rtf|odt|ods|odp|' +
  'mp3|mp4|m4a|wav|avi|mov|mpg|mpeg|ogg|flac|ics|vcf|json';
/** Extensions of what runs when it is opened, on one system or another. */
const RUNNING =
  'exe|scr|com|pif|cpl|dll|msi|msp|mst|bat|cmd|ps1|psm1|vbs|vbe|vb|js|jse|wsf|wsh|wsc|sct|hta|lnk|url|scf|jar|jnlp|reg|inf|' +
  'chm|hlp|application|appref-ms|gadget|msc|xll|iqy|slk|settingcontent-ms|library-ms|search-ms|diagcab|iso|img|vhd|vhdx|' +
  'app|command|sh|apk|desktop|py|pyw|wsb|appinstaller|appx|msix|vsto|xbap|website|webloc|inetloc|fileloc|terminal|au3|' +
  'a3x|ahk|rdp|one';
const IS_HARMLESS = new RegExp(`^(?:${HARMLESS})$`);
const DOUBLE = new RegExp(`\\.(?:${HARMLESS})[\\s._-]*\\.(?:${RUNNING})$`, 'i');
const PADDED = /[\s\u2800]{8,}\.?[^\s.]{1,12}\s*$/;

/** Media types whose readers expect pictures, sound, text or documents. */
const HARMLESS_MIME =
  /^(image\/(?!svg)|audio\/|video\/|text\/(?!html|javascript|x-)|application\/(pdf|msword|rtf|vnd\.))/;
/** Of the media types of applications these are programs and archives by their nature. */
const VENDOR_PROGRAMS = /^application\/vnd\.(microsoft|ms-(cab|htmlhelp)|android|apple\.installer|debian|rar|.*\+zip)/;

/** Notes what is wrong with the names of an object, and where its bytes are not what it claims to be. */
export function noteObject(object: MessageObject, log: AnomalyLog): void {
  const { path, name, otherNames = [], type, mime, depth } = object;
  for (const one of otherNames.length === 0 ? [name] : [name, ...otherNames]) {
    if (one === '') continue;
    // Names of parts were looked at with the structure.
    if (depth > 0 && !isPlain(one)) for (const trick of tricksIn(one, true)) log.add(trick, 'file name', path);
    if (DOUBLE.test(systemName(one).slice(-100))) log.add('double-extension', extensionOf(one), path);
    if (PADDED.test(one.slice(-300))) log.add('padded-name', undefined, path);
  }
  const claimed = claim(object.extension, mime, type);
  if (claimed !== undefined) log.add('type-mismatch', `${type} as ${claimed}`, path);
}

/** What a dangerous object claims to be; undefined when it claims nothing else. */
function claim(extension: string, mime: string, type: ObjectType): string | undefined {
  if (type !== 'executable' && type !== 'script' && type !== 'archive' && type !== 'disk-image') return undefined;
  if (IS_HARMLESS.test(extension)) return extension;
  // Senders call scripts text, and they are.
  if (type === 'script' && (mime.startsWith('text/') || extension !== '')) return undefined;
  return HARMLESS_MIME.test(mime) && !VENDOR_PROGRAMS.test(mime) ? mime : undefined;
}
