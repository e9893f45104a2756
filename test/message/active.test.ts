import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/message/read.js';
import { LIMITS, mailWith } from './mail.js';

const XML = '<?xml version="1.0"?>';
const SVG = 'http://www.w3.org/2000/svg';
const XHTML = 'http://www.w3.org/1999/xhtml';

describe('pages that run code', () => {
  it.each([
    ['a.html', '<html><script>1</script>', 'script', 'html'],
    ['a.htm', '<body onload="x()">', 'script', 'html'],
    ['a.html', '<a href="javascript:x()">', 'script', 'html'],
    ['a.html', '<meta http-equiv="refresh" content="0;url=x">', 'script', 'html'],
    ['a.html', '<html><p>Nothing runs here, on load or later</p>', 'text', 'html'],
    ['a.svg', '<svg xmlns="x"><script>1</script></svg>', 'script', 'svg'],
    ['a.svg', '<svg xmlns="x"><circle/></svg>', 'text', 'svg'],
    ['a.svg', `${XML}<!--${'-x'.repeat(400)}--><svg xmlns="${SVG}"><script>1</script></svg>`, 'script', 'svg'],
    ['a.svg', `${XML}<s:svg xmlns:s="${SVG}"><s:script>1</s:script></s:svg>`, 'script', 'svg'],
    ['a.svg', `<svg xmlns="${SVG}"><animate dur="1s" onend="x()"/></svg>`, 'script', 'svg'],
    ['a.svg', `${XML}<!DOCTYPE svg [<!ENTITY s "&#60;script>1&#60;/script>">]><svg>&s;</svg>`, 'script', 'svg'],
    ['a.svg', `${XML}<!DOCTYPE svg [<!ENTITY ns "http://a.example/">]><svg xmlns:x="&ns;"/>`, 'text', 'svg'],
    ['a.xhtml', `${XML}<h:html xmlns:h="${XHTML}"><h:script>1</h:script></h:html>`, 'script', 'html'],
    ['a.xht', `${XML}<html xmlns="${XHTML}"><script>1</script></html>`, 'script', 'html'],
    ['a.xml', `${XML}<html xmlns="${XHTML}"><script>1</script></html>`, 'script', 'html'],
    ['a.xml', `${XML}<shelf><script>a play</script></shelf>`, 'text', 'xml'],
    ['a.html', '<html><video src="x" onloadstart="x()"></video>', 'script', 'html'],
    ['a.html', '<p style="content-visibility:auto" oncontentvisibilityautostatechange=x()>', 'script', 'html'],
    ['a.html', `<p>${' '.repeat(3 * 1024 * 1024)}<script>1</script>`, 'script', 'html'],
    ['a.html', Buffer.from('\ufeff<p><script>1</script>', 'utf16le').swap16(), 'script', 'html'],
    ['a.html', '-----BEGIN PGP MESSAGE-----<script>1</script>', 'script', 'html'],
    ['a.html', 'PAR1<script>1</script>', 'script', 'html'],
    ['a.html', '<html>\u0001\0<script>1</script>', 'script', 'html'],
    ['a.js', 'wOFF=1;run()', 'script', 'js'],
    ['a.bat', 'ARROW1\r\nrun', 'script', 'bat'],
    ['a.iqy', 'WEB\r\n1\r\nhttp://a.example', 'script', 'iqy'],
    ['a.wsb', '<Configuration><LogonCommand/></Configuration>', 'script', 'wsb'],
    ['a.appinstaller', `${XML}<AppInstaller Uri="http://a.example/a"/>`, 'script', 'appinstaller'],
    ['a.fileloc', `${XML}<plist><string>file:///x.app</string></plist>`, 'script', 'url'],
    ['a.url', '[InternetShortcut]\r\nURL=http://a.example', 'script', 'url'],
  ])('%#: %s', (name, content, type, format) => {
    const objects = readMessage(mailWith([{ name, content: Buffer.from(content) }]), LIMITS).objects;
    expect(objects[0]).toMatchObject({ type, format });
  });

  it('go by the media type where the name says nothing', () => {
    const content = Buffer.from('<p>x</p><script>1</script>');
    const [object] = readMessage(mailWith([{ name: 'invoice', type: 'text/html', content }]), LIMITS).objects;
    expect(object).toMatchObject({ type: 'script', format: 'html' });
  });

  it.each(['#!/bin/sh\n', '@echo off\n', ''])('are tables all the same: %j', (first) => {
    const content = Buffer.from(`${first}=cmd|'/c calc'!A1\n`);
    expect(readMessage(mailWith([{ name: 'a.csv', content }]), LIMITS).objects[0]?.macro).toBe(true);
  });
});
