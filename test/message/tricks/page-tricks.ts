import { b64, BASE64, EICAR, mixed, PROGRAM, type Trick, withHeader } from './trick.js';

const eicar = EICAR.toString('base64');
const program = PROGRAM.toString('base64');
const OCTET_ADDRESS = 'data:application/octet-stream;base64,';
const percent = Array.from(EICAR, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** The page as the text of the message. */
function page(html: string): Buffer {
  return mixed('Content-Type: text/html; charset=utf-8', '', `<html><body><p>Hello</p>${html}</body></html>`);
}

function attached(name: string, content: string | Buffer, type = 'text/html'): Buffer {
  const bytes = Buffer.from(content);
  return withHeader(
    [`Content-Type: ${type}`, `Content-Disposition: attachment; filename="${name}"`, BASE64],
    b64(bytes),
  );
}

function shown(name: string, html: string, called?: string): Trick {
  const anomaly = 'encoded-file-in-text';
  return { name: `in a page: ${name}`, bytes: page(html), anomaly, ...(called === undefined ? {} : { called }) };
}

/** The same as an attached page. */
function opened(name: string, content: string | Buffer, called?: string, file = 'a.html'): Trick {
  return {
    name: `in an attached page: ${name}`,
    bytes: attached(file, content),
    ...(called === undefined ? {} : { called }),
  };
}

function calendar(...lines: readonly string[]): string {
  return ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...lines, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n');
}

function card(...lines: readonly string[]): string {
  return ['BEGIN:VCARD', 'VERSION:3.0', ...lines, 'END:VCARD', ''].join('\r\n');
}

function event(name: string, content: string, called?: string, type = 'text/calendar'): Trick {
  const bytes = mixed(`Content-Type: ${type}`, '', content);
  return { name: `in a property: ${name}`, bytes, ...(called === undefined ? {} : { called }) };
}

const BINARY = 'ENCODING=BASE64;VALUE=BINARY';

/** Files in pages and scripts, in calendars and cards. */
export const PAGE_TRICKS: readonly Trick[] = [
  shown('a data address to download', `<a download="evil.exe" href="${OCTET_ADDRESS}${eicar}">x</a>`, 'evil.exe'),
  shown('its name behind it', `<a href='${OCTET_ADDRESS}${program}' class=b download='evil.exe'>x</a>`, 'evil.exe'),
  shown('a name in references', `<a download="evil&#46;exe" href="${OCTET_ADDRESS}${eicar}">x</a>`, 'evil.exe'),
  shown('without quotes', `<a download=evil.exe href=${OCTET_ADDRESS}${eicar}>x</a>`, 'evil.exe'),
  shown('percent-encoded', `<a download="evil.exe" href="data:application/octet-stream,${percent}">x</a>`, 'evil.exe'),
  shown('percent-encoded, without a type', `<a download="evil.exe" href="data:,${percent}">x</a>`, 'evil.exe'),
  shown(
    'percent-encoded base64',
    `<a href="${OCTET_ADDRESS}${eicar.replace(/=/g, '%3D').replace(/\+/g, '%2B')}">x</a>`,
  ),
  shown('a program by its type alone', `<a href="data:application/x-msdownload;base64,${eicar}">x</a>`, '*.exe'),
  shown('capitals', `<a href="DaTa:application/octet-stream;BASE64,${eicar}">x</a>`),
  shown('parameters', `<a href="data:text/plain;charset=utf-8;x=y; base64,${eicar}">x</a>`),
  shown(
    'line ends and tabs in the address',
    `<a href="da\r\n\tta:application/octet-stream;base64,${eicar.slice(0, 40)}\r\n${eicar.slice(40)}">x</a>`,
  ),
  shown('a colon in a reference', `<a href="data&colon;application/octet-stream;base64,${eicar}">x</a>`),
  shown('a letter in a reference', `<a href="&#x64;ata:application/octet-stream;base64,${eicar}">x</a>`),
  shown('an object', `<object data="${OCTET_ADDRESS}${eicar}"></object>`),
  shown('an embed', `<embed src="${OCTET_ADDRESS}${program}">`),
  shown('an iframe', `<iframe src="data:text/html;base64,${eicar}"></iframe>`),
  shown('a picture that is a program', `<img src="data:image/png;base64,${program}">`),
  shown('a picture that is a text', `<img src="data:image/png;base64,${eicar}">`),
  shown(
    'behind a picture',
    `<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><a href="${OCTET_ADDRESS}${eicar}">x</a>`,
  ),
  shown('behind a quote that nothing closes', `<p>'data:image/png,<a href="${OCTET_ADDRESS}${eicar}">x</a> it's`),
  shown(
    'a page in a page',
    `<iframe src="data:text/html;base64,${Buffer.from(`<a href="${OCTET_ADDRESS}${eicar}">`).toString('base64')}">`,
  ),
  opened(
    'a data address to download',
    `<html><a download="evil.exe" href="${OCTET_ADDRESS}${eicar}">x</a>`,
    'evil.exe',
  ),
  opened(
    'beside a script',
    `<html><script>1</script><a download="evil.exe" href="${OCTET_ADDRESS}${eicar}">x</a>`,
    'evil.exe',
  ),
  opened('in UTF-16', Buffer.from(`\ufeff<html><a href="${OCTET_ADDRESS}${eicar}">x</a>`, 'utf16le')),
  opened(
    'a picture of vectors',
    `<svg xmlns="http://www.w3.org/2000/svg"><a href="${OCTET_ADDRESS}${eicar}"/></svg>`,
    undefined,
    'a.svg',
  ),
  opened('an embed', `<html><embed src="${OCTET_ADDRESS}${eicar}">`),
  opened('atob', `<html><script>var b=atob("${eicar}");a.download="evil.exe"</script>`),
  opened('a program as text', `<html><script>const file = '${program}'; save(file)</script>`),
  opened(
    'a program as text in lines',
    `<html><script>const file = \`\n${program.replace(/.{76}/g, '$&\n')}\`; save(file)</script>`,
  ),
  opened('a script of its own', `var file = "${program}"; run(file)`, undefined, 'a.js'),
  event('an attachment of a calendar', calendar(`ATTACH;FMTTYPE=application/octet-stream;${BINARY}:${eicar}`)),
  event('its name', calendar(`ATTACH;${BINARY};FILENAME=evil.exe:${program}`), 'evil.exe'),
  event('a name of a program, in quotes', calendar(`ATTACH;X-FILENAME="a:evil.exe";${BINARY}:${eicar}`), '*evil.exe'),
  event(
    'folded lines',
    calendar(`ATTACH;X-APPLE-FILENAME=evil.`, ` exe;${BINARY}:`, ` ${b64(PROGRAM).replace(/\r\n/g, '\r\n ')}`),
    'evil.exe',
  ),
  event('small letters', calendar(`attach;encoding=base64;value=binary:${eicar}`)),
  event('an address with data', calendar(`ATTACH:${OCTET_ADDRESS}${eicar.slice(0, 50)}`, ` ${eicar.slice(50)}`)),
  event('a key of a card', card(`KEY;ENCODING=b:${eicar}`), undefined, 'text/vcard'),
  event(
    'a picture of a card that is a program',
    card(`PHOTO;ENCODING=b;TYPE=JPEG:${program}`),
    undefined,
    'text/vcard',
  ),
  event('a sound of a card that is a text', card(`item1.SOUND;ENCODING=B:${eicar}`), undefined, 'text/vcard'),
  event('a card of version 2.1', card(`LOGO;BASE64;PNG:`, ` ${eicar}`, ''), undefined, 'text/x-vcard'),
  event('a card of version 4.0', card(`KEY:${OCTET_ADDRESS}${eicar}`), undefined, 'text/vcard'),
  {
    name: 'in a property: an attached calendar',
    bytes: attached('a.ics', calendar(`ATTACH;${BINARY};FILENAME=evil.exe:${eicar}`), 'text/calendar'),
    called: 'evil.exe',
  },
  { name: 'in a property: an attached card', bytes: attached('a.vcf', card(`KEY;ENCODING=b:${eicar}`), 'text/vcard') },
];
