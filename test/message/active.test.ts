import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/message/read.js';
import { LIMITS, mailWith } from './mail.js';

describe('pages that run code', () => {
  it.each([
    ['a.html', '<html><script>1</script>', 'script', 'html'],
    ['a.htm', '<body onload="x()">', 'script', 'html'],
    ['a.html', '<a href="javascript:x()">', 'script', 'html'],
    ['a.html', '<meta http-equiv="refresh" content="0;url=x">', 'script', 'html'],
    ['a.html', '<html><p>Nothing runs here, on load or later</p>', 'text', 'html'],
    ['a.svg', '<svg xmlns="x"><script>1</script></svg>', 'script', 'svg'],
    ['a.svg', '<svg xmlns="x"><circle/></svg>', 'text', 'svg'],
    ['a.iqy', 'WEB\r\n1\r\nhttp://a.example', 'script', 'iqy'],
    ['a.url', '[InternetShortcut]\r\nURL=http://a.example', 'script', 'url'],
  ])('%s %s', (name, content, type, format) => {
    const objects = readMessage(mailWith([{ name, content: Buffer.from(content) }]), LIMITS).objects;
    expect(objects[0]).toMatchObject({ type, format });
  });
});
