// The messages of the benchmark, made from a seed so that every run measures the same bytes.
import { deflateRawSync, crc32 } from 'node:zlib';

function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

const WORDS =
  'the quick report of our team about orders and deliveries was sent to every customer in this month with a new offer for support'.split(
    ' ',
  );

function prose(random, bytes) {
  const lines = [];
  let line = '';
  for (let length = 0; length < bytes;) {
    const word = WORDS[random() % WORDS.length];
    if (line.length + word.length > 70) {
      lines.push(line);
      length += line.length + 2;
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return lines.join('\n');
}

function header(subject, extra) {
  return [
    'Received: from out.partner.example (out.partner.example [192.0.2.7]) by relay.partner.example with ESMTPS id 4XbQ1z; Sat, 21 Nov 2026 10:00:00 +0000',
    'From: "Alice Partner" <alice@partner.example>',
    'To: Bob <bob@example.org>',
    `Subject: ${subject}`,
    'Date: Sat, 21 Nov 2026 10:00:00 +0000',
    'Message-ID: <bench@partner.example>',
    'MIME-Version: 1.0',
    ...extra,
    '',
    '',
  ].join('\n');
}

function small() {
  return header('Notes', ['Content-Type: text/plain; charset=utf-8']) + prose(generator(1), 1500) + '\n';
}

function newsletter() {
  const random = generator(2);
  const links = Array.from({ length: 20 }, (_, i) => `https://www.partner.example/offers/${i}?id=${random()}`);
  const text = links.map((link) => `${prose(random, 250)}\n${link}\n`).join('\n');
  const html = `<html><body>\n${links.map((link) => `<p>${prose(random, 550)}</p>\n<p><a href="${link}">Read on</a></p>`).join('\n')}\n</body></html>`;
  return `${header('Our offers', ['Content-Type: multipart/alternative; boundary="=_bench"'])}--=_bench\nContent-Type: text/plain; charset=utf-8\n\n${text}\n--=_bench\nContent-Type: text/html; charset=utf-8\n\n${html}\n--=_bench--\n`;
}

function attachments() {
  const random = generator(3);
  const noise = Buffer.from(Array.from({ length: 120_000 }, () => random() >>> 24));
  const encoded = (bytes) => bytes.toString('base64').replace(/.{76}/g, '$&\n');
  const file = (name, type, bytes) =>
    `--=_bench\nContent-Type: ${type}; name="${name}"\nContent-Disposition: attachment; filename="${name}"\nContent-Transfer-Encoding: base64\n\n${encoded(bytes)}\n`;
  return `${header('Quarterly report', ['Content-Type: multipart/mixed; boundary="=_bench"'])}--=_bench\nContent-Type: text/plain\n\n${prose(random, 900)}\n${file('report.zip', 'application/zip', zip('report.bin', noise.subarray(0, 90_000)))}${file('report.pdf', 'application/pdf', Buffer.concat([Buffer.from('%PDF-1.4\n'), noise]))}--=_bench--\n`;
}

function zip(name, data) {
  const packed = deflateRawSync(data);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), common, Buffer.alloc(14), Buffer.from(name)]);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]);
}

/** Line ends are LF: smtp-source writes CRLF itself. */
export const MESSAGES = { '2 KB text': small, '20 KB newsletter': newsletter, '300 KB with attachments': attachments };
