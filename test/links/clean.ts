import { listHeader, type Sample } from './mails.js';

function a(href: string, text: string): string {
  return `<p><a href="${href}">${text}</a></p>`;
}

/** Ordinary mails with links, of which nothing may be said at all. */
export const CLEAN: readonly Sample[] = [
  { name: 'no links', text: 'Good morning,\nwe meet at 9.30 in room 2.14, see the file plan.final.docx.\n' },
  {
    name: 'an address as text and link',
    html: a('https://www.partner.test/report?id=1', 'https://www.partner.test/report'),
  },
  { name: 'the text without www.', html: a('https://www.partner.test/', 'partner.test') },
  { name: 'another host of the same domain', html: a('https://login.partner.test/x', 'www.partner.test') },
  { name: 'http shown, https linked', html: a('https://partner.test/', 'http://partner.test') },
  { name: 'words as text', html: a('https://shop.test/offer', 'Read more about it') },
  { name: 'a mail address as text', html: a('https://crm.test/contact/1', 'anna@partner.test') },
  {
    name: 'a file name as text',
    html: a('https://files.test/d/1', 'report.pdf') + a('https://files.test/d/2', 'Setup.sh'),
  },
  { name: 'a number as text', html: a('https://shop.test/i/1', '1.234.56') + a('https://shop.test/i/2', 'v2.0.1') },
  {
    name: 'a newsletter through the service of the sender',
    from: 'Shop <news@shop.test>',
    header: listHeader('shop.test'),
    html: [1, 2, 3, 4].map((n) => a(`https://click.shop.test/c/${n}/x`, 'www.partner-of-shop.test')).join(''),
  },
  {
    name: 'a newsletter through a known service',
    from: 'Shop <news@shop.test>',
    header: listHeader('shop.test'),
    html: a('https://u123.ct.sendgrid.net/ls/click?upn=abc', 'https://www.shop.test/'),
  },
  {
    name: 'a newsletter through an unknown service that counts all links',
    from: 'Shop <news@shop.test>',
    header: listHeader('shop.test'),
    html: [1, 2, 3, 4, 5].map((n) => a(`https://t.counting.test/c/${n}`, n === 1 ? 'www.shop.test' : 'Offer')).join(''),
  },
  {
    name: 'a newsletter whose service is in List-Unsubscribe',
    from: 'Shop <news@shop.test>',
    header: ['List-Unsubscribe: <https://mailer.test/u/1>, <mailto:u@mailer.test>'],
    html: a('https://click.mailer.test/1', 'https://www.shop.test/spring'),
  },
  {
    name: 'a newsletter signed by its service',
    from: 'Shop <news@shop.test>',
    header: ['List-Id: <x.shop.test>', 'DKIM-Signature: v=1; a=rsa-sha256; d=mailer.test; s=a; b=AAAA'],
    html: a('https://click.mailer.test/1', 'https://www.shop.test/spring'),
  },
  {
    name: 'a receipt through a known service, without list fields',
    from: 'Shop <orders@shop.test>',
    html: a('https://u1.ct.sendgrid.net/ls/click?upn=1', 'https://www.shop.test/order/17'),
  },
  {
    name: 'a mailing of our own through a known service',
    from: 'Contoso <news@contoso.test>',
    header: listHeader('contoso.test'),
    html: a('https://contoso.us1.list-manage.com/track/click?u=1', 'www.contoso.test'),
  },
  {
    name: 'checked links',
    html:
      a(
        'https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.partner.test%2Fx&amp;data=05',
        'https://www.partner.test/x',
      ) +
      a(
        'https://urldefense.proofpoint.com/v2/url?u=https-3A__www.partner.test_x&amp;d=D',
        'https://www.partner.test/x',
      ) +
      a('https://urldefense.com/v3/__https://www.partner.test/x__;!!abc', 'https://www.partner.test/x'),
  },
  { name: 'one firm, two endings', html: a('https://www.kaufhaus.com/x', 'www.kaufhaus.de') },
  {
    name: 'our own sites',
    html:
      a('https://intra.contoso.test/', 'portal.contoso.test') +
      a('https://www.m\u00fcller-werke.test/', 'contoso.test'),
  },
  { name: 'the guarded site itself', html: a('https://login.bank.example/', 'https://bank.example/') },
  { name: 'an allowed lookalike', html: a('https://contoso-support.test/', 'Support') },
  { name: 'machines inside', text: 'Printer http://192.168.1.20/status and build http://10.1.2.3:8080/job/7 failed\n' },
  { name: 'a share inside', html: a('file://server/share/plan.xlsx', 'plan') + a('file:///C:/Users/a/x.docx', 'x') },
  {
    name: 'idle scripts',
    html: a('javascript:void(0)', 'x') + a('javascript:;', 'y') + a('javascript:window.print()', 'print'),
  },
  {
    name: 'pictures in the mail',
    html: '<img src="data:image/png;base64,iVBORw0KGgo="><img src="cid:logo"><img src="https://198.51.100.7/x.png">',
  },
  {
    name: 'international names',
    html:
      a('https://www.m\u00fcnchen.test/', 'www.m\u00fcnchen.test') +
      a('https://xn--e1afmkfd.xn--p1ai/', '\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444'),
  },
  { name: 'Japanese names', html: a('https://\u65e5\u672c\u8a9eweb\u30b5\u30a4\u30c8.test/', 'x') },
  { name: 'Russian names of look-alike letters', html: a('https://\u0440\u043e\u0441\u0441\u0430.ru/', 'x') },
  {
    name: 'other people\u2019s names that are near ours',
    html: [
      'consort',
      'contour',
      'bankrate',
      'databank',
      'contosomething',
      'bank-of-elsewhere',
      'appie',
      'micro-soft-toys',
      'googol',
    ]
      .map((name) => a(`https://www.${name}.com/`, 'x'))
      .join(''),
  },
  { name: 'names of examples', html: a('https://www.example.com/', 'example.com') },
  {
    name: 'brands and their other sites',
    html: [
      'paypal.me',
      'amazon.de',
      'googlemail.com',
      'microsoftonline.com',
      'apple-pay.apple.com',
      'paypal-community.com',
    ]
      .map((d) => a(`https://${d}/`, 'x'))
      .join(''),
  },
  {
    name: 'a form that asks for nothing secret',
    html: '<form action="https://survey.test/a"><input name=answer><button>Send</button></form>',
  },
  { name: 'a form of our own', html: '<form action="https://intra.contoso.test/login"><input type=password></form>' },
  { name: 'a user name for ftp', text: 'ftp://anonymous@ftp.partner.test/pub\n' },
  { name: 'an @ in the path', html: a('https://medium.test/@anna/post', 'x') },
  { name: 'a link within a link', html: a('https://translate.test/?u=https://www.partner.test/', 'x') },
  {
    name: 'a letter in both forms',
    from: 'Shop <news@shop.test>',
    header: listHeader('shop.test'),
    text: 'Our offers: https://www.shop.test/a and https://www.shop.test/b\n\nUnsubscribe: https://shop.test/u\n',
    html: `<style>body{background:url(https://img.shop.test/bg.png)}</style><img src="https://img.shop.test/l.png">${a('https://www.shop.test/a', 'Offer A')}${a('https://www.shop.test/b', 'www.shop.test/b')}`,
  },
  {
    name: 'structured data',
    html: '<script type="application/ld+json">{"@context":"http://schema.org","url":"https://bit.ly/x"}</script>',
  },
];
