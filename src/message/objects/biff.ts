/** How much of a workbook is looked through for further sheets. */
const MAX_LOOK = 1024 * 1024;
/** BOF of a sheet, a chart, a macro sheet, a workspace or a workbook, in the forms of Excel 2 to 5. */
const START = /^\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00[^][^](?:[\x05\x06\x10\x20\x40]\x00|\x00\x01)/;
const MACRO_SHEET = /\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00[^][^]\x40\x00/;

/** A workbook of old Excel that is no compound file but its records alone (the stream of MS-XLS 2.1.7.20). */
export function isBareWorkbook(bytes: Buffer): boolean {
  return START.test(bytes.toString('latin1', 0, 8));
}

/** Whether a bare workbook has a sheet of Excel 4.0 macros. */
export function hasMacroSheet(bytes: Buffer): boolean {
  return MACRO_SHEET.test(bytes.toString('latin1', 0, MAX_LOOK));
}
