/** Words that are put before or behind a known name to make a new one of it. */
export const BAIT: ReadonlySet<string> = new Set(
  (
    'login logon signin signon sign secure security safe verify verification validate account accounts update upgrade ' +
    'confirm confirmation unlock billing alert alerts support help helpdesk service services online portal web webmail ' +
    'mail email auth sso id my user users client clients customer customers member members payment payments pay invoice ' +
    'bank banking wallet team it hr admin office docs document documents share sharepoint file files drive cloud app ' +
    'mobile access connect recovery recover reset password mfa 2fa otp notice notification notifications info center ' +
    'anmeldung konto sicherheit kunde kunden rechnung hilfe connexion compte securite clientes cuenta seguridad'
  ).split(' '),
);

/** Those of them that honest second names of a firm have as well. */
export const WEAK_BAIT: ReadonlySet<string> = new Set(
  (
    'team it hr mail email web cloud app mobile info center my online user users client clients customer customers ' +
    'member members office docs document documents share sharepoint file files drive bank banking wallet pay portal id ' +
    'kunde kunden service services'
  ).split(' '),
);

/** The few of them that no honest name beside a well-known one has. */
export const STRONG_BAIT: ReadonlySet<string> = new Set(
  (
    'login logon signin secure security verify verification validate account accounts update confirm confirmation ' +
    'unlock billing alert suspended limited recovery password'
  ).split(' '),
);

/** Names that phishing imitates most, by the label that is registered. Only plain imitations of their spelling count. */
export const BRANDS: readonly string[] = (
  'paypal apple icloud microsoft office365 outlook onedrive sharepoint google gmail youtube facebook instagram whatsapp ' +
  'linkedin twitter telegram netflix spotify amazon dropbox docusign adobe github gitlab walmart costco airbnb booking ' +
  'coinbase binance blockchain metamask kraken steamcommunity steampowered roblox godaddy namecheap cloudflare yahoo ' +
  'protonmail fedex wellsfargo americanexpress bankofamerica capitalone citibank barclays santander lloydsbank natwest ' +
  'hsbc sparkasse commerzbank deutschebank postbank volksbank raiffeisen postfinance swisscom creditagricole bnpparibas ' +
  'laposte societegenerale intesasanpaolo unicredit posteitaliane rabobank telekom vodafone mastercard revolut stripe'
).split(' ');

/** Services that make short addresses of long ones. */
export const SHORTENERS: ReadonlySet<string> = new Set(
  (
    'bit.ly bitly.com bit.do buff.ly cutt.ly cutt.us dlvr.it fb.me goo.gl goo.su hubs.ly ht.ly ift.tt is.gd j.mp kutt.it ' +
    'lnkd.in ow.ly owl.ly q.gs qr.ae rb.gy rebrand.ly reurl.cc rotf.lol s.id s.coop shorte.st short.io shorturl.at ' +
    'shorturl.asia shrtco.de snip.ly soo.gd surl.li t.co t.ly t2m.io tiny.cc tiny.one tinyurl.com tny.im tr.im trib.al ' +
    'u.to urlz.fr urlr.me v.gd v.ht vk.cc wp.me x.co x.gd y2u.be yourls.org zpr.io zzb.bz adf.ly bc.vc bl.ink budurl.com ' +
    'clck.ru clicky.me cli.gs dub.sh gg.gg han.gl hyperurl.co kurzelinks.de linktr.ee l.ead.me lc.chat me2.do n9.cl ' +
    'ouo.io po.st qrco.de scnv.io smarturl.it snipurl.com t.me tiny.pl tinu.be urlshortner.com 1url.com 2.gp 4sq.com'
  ).split(' '),
);

/** Domains through which senders of newsletters and receipts lead every link, to count who follows it. */
export const TRACKERS: ReadonlySet<string> = new Set(
  (
    'sendgrid.net sendgrid.com list-manage.com mailchimp.com mandrillapp.com mailgun.org mailgun.net awstrack.me ' +
    'amazonses.com sparkpostmail.com exct.net exacttarget.com hubspotlinks.com hubspotemail.net hs-sites.com rs6.net ' +
    'constantcontact.com createsend.com cmail19.com cmail20.com mlsend.com mailerlite.com sendinblue.com brevo.com ' +
    'klclick.com klclick1.com klclick2.com klclick3.com klaviyomail.com mailjet.com mjt.lu emarsys.net cleverreach.com ' +
    'crsend.com rapidmail.com emailsys1a.net inxmail.com pardot.com marketo.com mkto.com en25.com eloqua.com ' +
    'doubleclick.net googleadservices.com getresponse.com activehosted.com emlnk.com convertkit-mail.com ' +
    'convertkit-mail2.com substack.com beehiiv.com customeriomail.com customer.io intercom-clicks.com iterable.com ' +
    'braze.com appboy.com responsys.net dmtrk.com dotdigital.com pstmrk.it postmarkapp.com sailthru.com ' +
    'newsletter2go.com benchmarkemail.com icptrack.com moosend.com elasticemail.com aweber.com mailup.com maropost.com ' +
    'listrak.com cordial.com slgnt.eu rdir.de evalanche.com zohocampaigns.com zcsend.net campaign-archive.com ' +
    'salesforce.com freshmail.com sendcloud.net onesignal.com turbo-smtp.com smtp2go.com ymlp.com'
  ).split(' '),
);

/** Services that put the address they lead to into their own: that one counts. */
export const REWRITERS: ReadonlySet<string> = new Set(
  (
    'safelinks.protection.outlook.com urldefense.com urldefense.proofpoint.com urldefense.us linkprotect.cudasvc.com ' +
    'protection.sophos.com protection.retarus.com urlsand.com secure-web.cisco.com mimecastprotect.com mimecast.com ' +
    'www.google.com google.com l.facebook.com lm.facebook.com l.instagram.com www.linkedin.com www.bing.com ' +
    'out.reddit.com steamcommunity.com slack-redir.net href.li'
  ).split(' '),
);
