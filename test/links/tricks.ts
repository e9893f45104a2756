import type { LinkStatus } from '../../src/detectors/links/verdict.js';
import { listHeader, type Sample } from './mails.js';

/** A mail with a bad link, and what is to be said of it. */
export interface Trick extends Sample {
  readonly status: LinkStatus;
  /** Part of the detail. */
  readonly reason: string;
}

function link(href: string, text = 'Click here'): string {
  return `<p>Dear customer,</p><a href="${href}">${text}</a>`;
}

/** Tricks for a gateway of contoso.test and müller-werke.test that guards bank.example. */
export const TRICKS: readonly Trick[] = [
  // The text shows another name than the link has.
  {
    name: 'shown and real differ',
    html: link('http://evil.test/login', 'https://www.paypal.com/'),
    status: 'phishing',
    reason: 'shows www.paypal.com',
  },
  {
    name: 'shown without a scheme',
    html: link('http://evil.test/login', 'www.paypal.com'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'shown as a bare name',
    html: link('http://evil.test/login', 'paypal.com'),
    status: 'phishing',
    reason: 'shows paypal.com',
  },
  {
    name: 'the same name where anybody can have one',
    html: link('https://kaufhaus.github.io/', 'https://www.kaufhaus.de/'),
    status: 'phishing',
    reason: 'leads to kaufhaus.github.io',
  },
  {
    name: 'an IP address that shows another one',
    html: link('http://10.0.0.7/', 'http://10.0.0.8/'),
    status: 'phishing',
    reason: 'leads to 10.0.0.7',
  },
  {
    name: 'shown with a path',
    html: link('http://evil.test/', 'paypal.com/signin'),
    status: 'phishing',
    reason: 'shows',
  },
  {
    name: 'shown in a sentence',
    html: link('http://evil.test/', 'Sign in at https://www.paypal.com/ now'),
    status: 'phishing',
    reason: 'shows',
  },
  {
    name: 'shown over several tags',
    html: link('http://evil.test/', '<b>https://</b>www.<i>pay</i>pal.com'),
    status: 'phishing',
    reason: 'shows',
  },
  {
    name: 'shown with entities',
    html: link('http://evil.test/', 'https&#58;&#47;&#47;www.paypal.com'),
    status: 'phishing',
    reason: 'shows',
  },
  {
    name: 'shown with soft hyphens',
    html: link('http://evil.test/', 'https://www.pay\u00adpal.com'),
    status: 'phishing',
    reason: 'shows',
  },
  {
    name: 'shown in brackets',
    html: link('http://evil.test/', '&lt;https://www.paypal.com&gt;'),
    status: 'phishing',
    reason: 'shows',
  },
  {
    name: 'guarded name shown in list mail',
    html: link('http://evil.test/', 'https://bank.example/'),
    header: listHeader('evil.test'),
    status: 'phishing',
    reason: 'shows bank.example',
  },
  {
    name: 'own name shown in list mail',
    html: link('http://evil.test/', 'https://intra.contoso.test/'),
    header: listHeader('evil.test'),
    status: 'phishing',
    reason: 'shows intra.contoso.test',
  },
  {
    name: 'list mail of one, leading to another',
    html: link('http://evil.test/', 'https://shop.test/'),
    from: 'Shop <a@shop.test>',
    header: listHeader('shop.test'),
    status: 'phishing',
    reason: 'shows shop.test',
  },
  {
    name: 'behind a link checker',
    html: link(
      'https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.test%2Flogin&amp;data=1',
      'https://bank.example/',
    ),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'behind Google',
    html: link('https://www.google.com/url?q=https://evil.test/login', 'https://bank.example/'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'the guarded name as a parameter',
    html: link('https://evil.test/?u=https://bank.example/', 'https://bank.example/'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'href in hexadecimal references',
    html: link('&#x68;&#x74;&#x74;&#x70;://evil.test/', 'https://bank.example/'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'href broken by tabs',
    html: link('ht\ttp://ev\til.test/', 'https://bank.example/'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'href with a base',
    html: `<base href="http://evil.test/">${link('login', 'https://bank.example/')}`,
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'an image map',
    html: '<map><area alt="https://bank.example/" href="http://evil.test/"></map>',
    status: 'phishing',
    reason: 'leads to evil.test',
  },

  // Names that look like others.
  {
    name: 'Cyrillic letters for Latin ones',
    html: link('https://\u0440\u0430ypal.com/'),
    status: 'phishing',
    reason: 'looks like paypal',
  },
  {
    name: 'the same in ASCII form',
    html: link('https://xn--ypal-43d9g.com/'),
    status: 'phishing',
    reason: 'looks like paypal',
  },
  {
    name: 'a whole word in Cyrillic',
    html: link('https://\u0430\u0440\u0440\u04cf\u0435.com/'),
    status: 'phishing',
    reason: 'apple',
  },
  {
    name: 'a whole Cyrillic word of no brand',
    html: link('https://\u0445\u043e\u0440\u0435.com/'),
    status: 'phishing',
    reason: 'another alphabet',
  },
  {
    name: 'mixed scripts',
    html: link('https://str\u0430nge-\u03bdame.test/'),
    status: 'phishing',
    reason: 'mixes letters',
  },
  {
    name: 'mixed scripts in front',
    html: link('https://l\u043egin.evil.test/'),
    status: 'phishing',
    reason: 'mixes letters',
  },
  {
    name: 'our name with a Greek letter',
    html: link('https://c\u03bfntoso.test/'),
    status: 'phishing',
    reason: 'looks like contoso.test',
  },
  {
    name: 'our name with a mark',
    html: link('https://cont\u00f6so.test/'),
    status: 'phishing',
    reason: 'looks like contoso.test',
  },
  {
    name: 'our name with a digit',
    html: link('https://c0ntoso.test/'),
    status: 'phishing',
    reason: 'looks like contoso.test',
  },
  {
    name: 'our name elsewhere with a digit',
    html: link('https://cont0s0.evil.test/x', 'x').replace('cont0s0.evil.test', 'cont0s0.com'),
    status: 'phishing',
    reason: 'looks like contoso.test',
  },
  { name: 'a brand with digits', html: link('https://paypa1.com/'), status: 'phishing', reason: 'looks like paypal' },
  { name: 'rn for m', html: link('https://rnicrosoft.com/'), status: 'phishing', reason: 'looks like microsoft' },
  { name: 'vv for w', html: link('https://vvellsfargo.com/'), status: 'phishing', reason: 'looks like wellsfargo' },
  {
    name: 'a brand with a bait',
    html: link('https://paypal-login.test/'),
    status: 'phishing',
    reason: 'added to the name paypal',
  },
  {
    name: 'a brand with digits and a bait',
    html: link('https://secure-paypa1.test/'),
    status: 'phishing',
    reason: 'added',
  },
  {
    name: 'in plain text',
    text: 'Go to https://c0ntoso.test/ at once',
    status: 'phishing',
    reason: 'looks like contoso.test',
  },
  {
    name: 'in plain text without a scheme',
    text: 'Go to www.c0ntoso.test at once',
    status: 'phishing',
    reason: 'looks like contoso.test',
  },
  { name: 'two letters exchanged', html: link('https://cnotoso.test/'), status: 'phishing', reason: 'one letter' },
  { name: 'a letter left out', html: link('https://contso.test/'), status: 'phishing', reason: 'one letter' },
  { name: 'a letter doubled', html: link('https://conttoso.test/'), status: 'phishing', reason: 'one letter' },
  {
    name: 'a letter changed in our name',
    html: link('https://contoxo.test/'),
    status: 'suspicious-link',
    reason: 'one letter',
  },
  {
    name: 'a word added to ours',
    html: link('https://contoso-login.test/'),
    status: 'phishing',
    reason: 'added to contoso.test',
  },
  {
    name: 'a word before ours',
    html: link('https://secure-contoso.com/'),
    status: 'phishing',
    reason: 'added to contoso.test',
  },
  {
    name: 'two words around ours',
    html: link('https://my-contoso-account.com/'),
    status: 'phishing',
    reason: 'added to contoso.test',
  },
  {
    name: 'a word added to ours that firms use themselves',
    html: link('https://contoso-cloud.test/'),
    status: 'suspicious-link',
    reason: 'added to contoso.test',
  },
  {
    name: 'a word glued to ours',
    html: link('https://contosologin.com/'),
    status: 'phishing',
    reason: 'added to contoso.test',
  },
  {
    name: 'a word glued before ours',
    html: link('https://securecontoso.com/'),
    status: 'phishing',
    reason: 'added to contoso.test',
  },
  {
    name: 'a word added to a name with a dash',
    html: link('https://xn--mller-werke-login-lzb.test/').replace(
      'xn--mller-werke-login-lzb',
      'm\u00fcller-werke-login',
    ),
    status: 'phishing',
    reason: 'added to m\u00fcller-werke.test',
  },
  {
    name: 'our name in front of another',
    html: link('https://contoso.test.evil.com/login'),
    status: 'phishing',
    reason: 'stands in front of evil.com',
  },
  {
    name: 'our whole host in front of another',
    html: link('https://www.contoso.test.secure.evil.com/'),
    status: 'phishing',
    reason: 'stands in front of evil.com',
  },
  {
    name: 'the guarded name with another ending',
    html: link('https://bank.com/'),
    status: 'phishing',
    reason: 'is not bank.example',
  },
  {
    name: 'our name with another ending',
    html: link('https://contoso.xyz/'),
    status: 'suspicious-link',
    reason: 'is not contoso.test',
  },

  // Addresses that hide where they lead.
  { name: 'an IP address', html: link('http://198.51.100.7/login'), status: 'malicious-link', reason: 'IP address' },
  { name: 'an IPv6 address', html: link('http://[2001:db8::7]/login'), status: 'malicious-link', reason: 'IP address' },
  {
    name: 'a decimal IP address',
    html: link('http://3325256711/login'),
    status: 'phishing',
    reason: 'hides an IP address',
  },
  {
    name: 'an octal IP address',
    html: link('http://0306.063.0144.07/login'),
    status: 'phishing',
    reason: 'hides an IP address',
  },
  {
    name: 'a hexadecimal IP address',
    html: link('http://0xC6336407/login'),
    status: 'phishing',
    reason: 'hides an IP address',
  },
  {
    name: 'a short IP address',
    html: link('http://198.3367943/login'),
    status: 'phishing',
    reason: 'hides an IP address',
  },
  {
    name: 'an encoded IP address',
    html: link('http://%31%39%38.51.100.7/login'),
    status: 'phishing',
    reason: 'hides an IP address',
  },
  {
    name: 'an IP address in full-width digits',
    html: link('http://\uff11\uff19\uff18.51.100.7/'),
    status: 'phishing',
    reason: 'hides an IP address',
  },
  {
    name: 'a name before the @',
    html: link('https://www.bank.example@evil.test/'),
    status: 'phishing',
    reason: 'before the @',
  },
  {
    name: 'a name and a slash before the @',
    html: link('https://www.bank.example%2Flogin@evil.test/'),
    status: 'phishing',
    reason: 'before the @',
  },
  {
    name: 'a name before a backslash',
    html: link('https://evil.test\\@www.bank.example/', 'https://bank.example/'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  { name: 'a user name', html: link('https://admin@evil.test/'), status: 'suspicious-link', reason: 'user name' },
  { name: 'a shortener', html: link('https://bit.ly/3abc'), status: 'shortener', reason: 'short' },
  { name: 'a shortener in text', text: 'See bit.ly/3abc', status: 'shortener', reason: 'short' },

  // What runs or sends something.
  {
    name: 'a script',
    html: link('javascript:document.location="//evil.test"'),
    status: 'malicious-link',
    reason: 'script',
  },
  {
    name: 'a script with line ends',
    html: link('java&#10;scr&#9;ipt:alert(1)'),
    status: 'malicious-link',
    reason: 'script',
  },
  { name: 'a VBScript', html: link('vbscript:msgbox(1)'), status: 'malicious-link', reason: 'vbscript' },
  {
    name: 'a page in the link',
    html: link('data:text/html;base64,PHNjcmlwdD4='),
    status: 'malicious-link',
    reason: 'page of its own',
  },
  {
    name: 'a page in a frame',
    html: '<iframe src="data:text/html,%3Cscript%3E"></iframe>',
    status: 'malicious-link',
    reason: 'page of its own',
  },
  {
    name: 'a picture that runs',
    html: link('data:image/svg+xml,%3Csvg onload=x%3E'),
    status: 'malicious-link',
    reason: 'page of its own',
  },
  {
    name: 'a search of another machine',
    html: link('search-ms:query=x&amp;crumb=location:\\\\evil.test\\share'),
    status: 'malicious-link',
    reason: 'search-ms',
  },
  {
    name: 'a file on another server',
    html: link('file://evil.test/share/x.lnk'),
    status: 'malicious-link',
    reason: 'another server',
  },
  {
    name: 'a file on another server, with more slashes',
    html: link('file:///\\\\203.0.113.7\\share\\x.rtf!a'),
    status: 'malicious-link',
    reason: 'another server',
  },
  {
    name: 'a file on another server, with a port',
    html: link('file://203.0.113.7@80/share/x.js'),
    status: 'malicious-link',
    reason: 'another server',
  },
  {
    name: 'a path of a network',
    html: link('\\\\evil.test\\share\\x.lnk'),
    status: 'malicious-link',
    reason: 'another server',
  },
  {
    name: 'a search of another machine, by its older name',
    html: link('search:query=x&amp;crumb=location:\\\\evil.test\\share'),
    status: 'malicious-link',
    reason: 'kind search:',
  },
  {
    name: 'another domain behind the scheme of a browser',
    html: link('microsoft-edge:https://evil.test/', 'https://www.bank.test/'),
    status: 'phishing',
    reason: 'leads to evil.test',
  },
  {
    name: 'a form for passwords',
    html: '<form action="https://evil.test/post"><input name=user><input type=password></form>',
    status: 'phishing',
    reason: 'password to evil.test',
  },
  {
    name: 'a form with a disguised password',
    html: '<form action="https://evil.test/post"><input type="p&#97;ssword"></form>',
    status: 'phishing',
    reason: 'password to evil.test',
  },
  {
    name: 'a form on our imitation',
    html: '<form action="https://c0ntoso.test/post"><input></form>',
    status: 'phishing',
    reason: 'looks like',
  },
  {
    name: 'a page that goes on by itself',
    html: '<meta http-equiv="refresh" content="0;url=https://evil.test/">',
    status: 'suspicious-link',
    reason: 'by itself',
  },
  {
    name: 'in a conditional comment',
    html: `<!--[if mso]>${link('https://c0ntoso.test/')}<![endif]-->`,
    status: 'phishing',
    reason: 'looks like',
  },
];
