/** What the module reports of links. */
export type LinkStatus = 'phishing' | 'malicious-link' | 'shortener' | 'suspicious-link';

export const LINK_STATUSES: readonly LinkStatus[] = ['phishing', 'malicious-link', 'shortener', 'suspicious-link'];

/** What is wrong with one link. */
export interface LinkFinding {
  readonly status: LinkStatus;
  /** For people; names of hosts, nothing else of the message. */
  readonly reason: string;
}
