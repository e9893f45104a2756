/** What a mask is compared with. */
export type MaskUse = 'address' | 'domain';

export interface MaskComplaint {
  readonly message: string;
  readonly hint?: string;
}

/**
 * Says why a mask can take no address (RFC 5321 4.1.2, with what RFC 6531 adds), as far as that can be told from its
 * form; undefined when it can.
 */
export function complainOfMask(mask: string, use: MaskUse): MaskComplaint | undefined {
  if (mask === '' || mask.startsWith('@')) return undefined;
  const quoted = `"${mask.slice(0, 80)}"`;
  if (mask === '<>') return use === 'address' ? undefined : { message: `${quoted} can match no domain` };
  if (/[\u201c-\u201f\u00ab\u00bb\u2018\u2019]/.test(mask))
    return {
      message: `${quoted} can match no address: its quotes are those of printed text`,
      hint: `did you mean "${mask.replace(/[\u2018-\u201f\u00ab\u00bb]/g, '')}"?`,
    };
  const unquoted = /^(["'])([^"']+)\1$/.exec(mask)?.[2];
  if (unquoted !== undefined)
    return { message: `${quoted} can match no address: the quotes belong to it`, hint: `did you mean "${unquoted}"?` };
  if (/[,;]/.test(mask) && !mask.includes('"')) {
    const parts = mask.split(/[,;]/).map((part) => part.trim());
    return {
      message: `${quoted} can match no address: it looks like several masks`,
      hint: `write a list: [${parts.map((part) => `"${part}"`).join(', ')}]`,
    };
  }
  const bracketed = /<([^<>]+)>/.exec(mask)?.[1];
  if (bracketed !== undefined)
    return { message: `${quoted} can match no address`, hint: `did you mean "${bracketed}"?` };
  if (/[\s<>]/.test(mask) && !mask.includes('"'))
    return { message: `${quoted} can match no address: it holds a space or bracket`, hint: `did you mean "${mask.replace(/[\s<>]/g, '')}"?` };
  return use === 'domain' ? complainOfDomainMask(mask, quoted) : complainOfAddressMask(mask, quoted);
}

function complainOfAddressMask(mask: string, quoted: string): MaskComplaint | undefined {
  if (/^mailto:/i.test(mask))
    return { message: `${quoted} can match no address`, hint: `did you mean "${mask.slice(7)}"?` };
  const at = mask.lastIndexOf('@');
  if (at < 0) {
    // A wildcard can stand for the @.
    if (/[*?]/.test(mask)) return undefined;
    return {
      message: `${quoted} can match no address: an address has an @`,
      hint: mask.includes('.') ? `did you mean "*@${mask}"?` : `did you mean "${mask}@*"?`,
    };
  }
  const domain = mask.slice(at + 1);
  const bad = badDomain(domain);
  if (bad !== undefined && /\.\*|\\\./.test(mask))
    return {
      message: `${quoted} can match no address: it looks like a regular expression`,
      hint: `masks have only * and ?: did you mean "${mask.replace(/^\^|\$$/g, '').replace(/\.\*/g, '*').replace(/\\/g, '')}"?`,
    };
  if (bad !== undefined) return { message: `${quoted} can match no address: ${bad}`, ...domainHint(mask, at) };
  if (mask.length - (mask.match(/\*/g)?.length ?? 0) > 320) return { message: `${quoted} can match no address: it is too long` };
  return undefined;
}

function complainOfDomainMask(mask: string, quoted: string): MaskComplaint | undefined {
  if (mask.includes('@'))
    return {
      message: `${quoted} can match no domain: there is no @ in one`,
      hint: `did you mean "${mask.slice(mask.lastIndexOf('@') + 1)}"?`,
    };
  const bad = badDomain(mask);
  return bad === undefined ? undefined : { message: `${quoted} can match no domain: ${bad}` };
}

function badDomain(domain: string): string | undefined {
  if (domain === '') return 'there is no domain behind the @';
  if (domain.startsWith('[')) return undefined;
  if (domain.startsWith('.')) return 'a domain does not begin with a dot';
  if (domain.endsWith('.')) return 'a domain does not end with a dot';
  if (domain.includes('..')) return 'a domain has no two dots in a row';
  if (/[\x00-\x20!"#$%&'()+,/:;<=>@[\\\]^`{|}~\x7f]/.test(domain)) return 'a character in it cannot stand in a domain';
  return undefined;
}

function domainHint(mask: string, at: number): { readonly hint?: string } {
  const domain = mask.slice(at + 1);
  if (domain.startsWith('.')) return { hint: `did you mean "${mask.slice(0, at + 1)}*${domain}"?` };
  const cleaned = domain.replace(/\.+$/, '').replace(/\.{2,}/g, '.');
  return cleaned === domain || cleaned === '' ? {} : { hint: `did you mean "${mask.slice(0, at + 1)}${cleaned}"?` };
}
