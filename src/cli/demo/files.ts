/** Recipients who get everything and whose rule differs: the demonstration's own small site. */
export const DEMO_MAX_SIZE = 300_000;

/** gatepost.yaml of the demonstration. */
export function demoConfig(): string {
  return `# A gateway for example.org that delivers into a Maildir and uses the embedded database.
smtp:
  listen: ["127.0.0.1:0"]            # a free port
  maxMessageSize: ${DEMO_MAX_SIZE}
domains: ["example.org"]
trusted: []                           # nobody may relay
delivery: { nextHop: "maildir:./inbox" }
notifications:
  from: "Gatepost <gatepost@example.org>"
  general: [security@example.org]
  external: always                    # so that you see the mail to a sender, too; leave this out in earnest
log: { level: warn }
`;
}

/** The rules of the demonstration. */
export const DEMO_RULES = `rules:
  - id: blocked
    name: People who have left
    match: { recipient: ["former@example.org"] }
    process: reject

  - id: build-server
    name: The build server may get programs
    match: { recipient: ["build@example.org"] }
    on:
      malware: { action: reject, quarantine: true, notify: [general] }

  - id: inbound
    name: Inbound mail
    match: { recipient: ["*@example.org"] }
    on:
      malware: { action: reject, quarantine: true, notify: [general, recipients, additional] }
      encrypted: { action: deliver, tag: "[Encrypted]", notify: [recipients] }
      scan-error: { action: defer }
      content:
        - id: programs
          name: Programs, whatever they are called
          when: { any: [ { attachment.type: [executable, script] }, { attachment.extension: [exe, com, scr, js] } ] }
          action: delete-attachment
          quarantine: true
          notify: [recipients]
        - id: macro-names
          name: Office documents with macros
          when: { attachment.extension: [docm, xlsm, pptm] }
          action: delete-attachment
          quarantine: true
          notify: [sender, recipients]
    notify:
      additional: [helpdesk@example.org]
`;
