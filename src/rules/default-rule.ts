/** ID of the built-in rule. */
export const DEFAULT_ID = 'default';

/** Name of the file in which the built-in rule may be changed. */
export const DEFAULT_FILE = '90-default.yaml';

/** Content of the shipped rules/90-default.yaml: the rule is there also when the site's folder has no such file. */
export const DEFAULT_TEXT = `# yaml-language-server: $schema=./rules.schema.json

# The rule for all mail that no rule before it took. It is always there: if this file is missing, the program uses
# its own copy. What it does about each kind of finding may be changed here. It has no \`match\`, as it takes everything;
# for a part of the mail write a rule of your own in a file that comes before this one, such as 60-accounting.yaml.

rules:
  - id: default
    name: All other mail
    description: What no other rule took
    on:
      # A virus, or anything that a list of known bad files names. The original is kept in quarantine.
      malware:
        action: reject
        quarantine: true
        notify: [general]

      # An archive or document that needs a password cannot be looked into. It passes, and the reader is warned.
      encrypted:
        action: deliver
        tag: "[Encrypted]"

      # A document that carries a macro: the document is taken out, the rest is delivered.
      macro:
        action: delete-attachment
        quarantine: true
        notify: [recipients]

      # A module failed, ran out of time, or gave up on an archive that is too large or too deep. The sending server is
      # asked to come back later: a message that was not checked does not get through.
      scan-error:
        action: defer

      # A link on a list of known bad addresses; a link that looks like a trap.
      malicious-link:
        action: reject
        quarantine: true
        notify: [general]
      phishing:
        action: deliver
        tag: "[Phishing?]"

      # Spam is refused while the sending server waits; what is only probable is marked.
      spam:
        action: reject
        quarantine: true
      probable-spam:
        action: deliver
        tag: "[Spam?]"

      # Your own questions about the content. \`attachment.type\` is what the bytes are, whatever the name says; entries
      # of archives are looked at as well.
      content:
        - id: executables
          name: Program files
          when:
            any:
              - attachment.type: executable
              - attachment.extension: [exe, scr, com, pif, cpl, msi, bat, cmd, ps1, vbs, vbe, js, jse, wsf, wsh, hta, lnk, jar, iso, img]
          action: delete-attachment
          quarantine: true
          notify: [recipients]
`;
