/** Media types of programs, and the extension under which clients save a part that has no name. */
const PROGRAMS: ReadonlyMap<string, string> = new Map([
  ['application/hta', 'hta'],
  ['application/x-msdownload', 'exe'],
  ['application/x-msdos-program', 'exe'],
  ['application/x-dosexec', 'exe'],
  ['application/x-ms-dos-executable', 'exe'],
  ['application/vnd.microsoft.portable-executable', 'exe'],
  ['application/exe', 'exe'],
  ['application/x-exe', 'exe'],
  ['application/x-bat', 'bat'],
  ['application/bat', 'bat'],
  ['application/x-msi', 'msi'],
  ['application/x-ms-shortcut', 'lnk'],
  ['application/java-archive', 'jar'],
  ['application/x-java-archive', 'jar'],
  ['application/x-iso9660-image', 'iso'],
  ['application/javascript', 'js'],
  ['application/x-javascript', 'js'],
  ['application/ecmascript', 'js'],
  ['text/javascript', 'js'],
  ['text/jscript', 'js'],
  ['text/vbscript', 'vbs'],
  ['text/scriptlet', 'sct'],
]);

/** The name under which clients save a program of this media type that has none; empty for other types. */
export function nameByType(mime: string): string {
  const extension = PROGRAMS.get(mime);
  return extension === undefined ? '' : `attachment.${extension}`;
}
