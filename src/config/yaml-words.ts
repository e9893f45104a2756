/** What is said about a mistake in the syntax of YAML. */
export interface SyntaxWords {
  readonly message: string;
  readonly hint?: string;
}

const WORDS: Readonly<Record<string, SyntaxWords>> = {
  TAB_AS_INDENT: { message: 'the line begins with a tab', hint: 'indent with spaces: YAML does not take tabs' },
  DUPLICATE_KEY: {
    message: 'this key stands twice in one map',
    hint: 'merge the two, or remove one; if a new entry of a list begins here, put "- " before it',
  },
  MULTIPLE_DOCS: {
    message: 'a line --- begins a second document, which would not be read',
    hint: 'remove the line, or make a second file of what follows it',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'this line and the next do not fit together',
    hint: 'write `key: value` with a colon and a space, and check the number of spaces at the start of both lines',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a map cannot begin here',
    hint: 'check the number of spaces at the start of the next line, and put text with a colon in quotes',
  },
  BLOCK_IN_FLOW: {
    message: 'a second colon stands in the text of a value',
    hint: 'put the text in quotes: "Virus: found"',
  },
  BAD_SCALAR_START: { message: 'a value cannot begin with this sign', hint: 'put it in quotes: "@partners"' },
};

/**
 * Words for an admin instead of those of the YAML library.
 * @param code of the library's error
 * @param message its own sentence, for codes that have no words of ours
 */
export function syntaxWords(code: string, message: string): SyntaxWords {
  const known = WORDS[code];
  if (known !== undefined) return known;
  if (/^Flow (sequence|map)/.test(message))
    return { message: 'a bracket that was opened is not closed', hint: 'close each [ with ] and each { with }' };
  if (message.includes('same column'))
    return {
      message: 'this key does not begin in the column of the keys that it belongs to',
      hint: 'begin all keys of one map in the same column',
    };
  if (message.startsWith('Invalid escape sequence'))
    return {
      message: `${message.slice(0, 60)} stands between double quotes, where YAML gives a backslash a meaning of its own`,
      hint: "use 'single quotes', between which a backslash stands for itself",
    };
  if (code === 'BAD_INDENT') return { message, hint: 'check the number of spaces at the start of the line' };
  if (code === 'MISSING_CHAR') return missing(message);
  if (message.startsWith('Alias cannot be an empty string'))
    return { message: 'a star alone is an alias without a name in YAML', hint: 'put the mask in quotes: "*"' };
  if (code === 'BAD_ALIAS') return { message, hint: 'put the value in quotes' };
  return { message };
}

function missing(message: string): SyntaxWords {
  if (message.includes('quote'))
    return { message: 'a quote that was opened is not closed', hint: 'close it on the same line' };
  if (message.includes('map values'))
    return {
      message: 'a colon is missing in this line',
      hint: 'write `key: value`, with an ordinary colon and a space',
    };
  if (message.includes('without - indicator'))
    return {
      message: 'this line is neither an entry of the list nor a part of one',
      hint: 'begin it in the column of the keys above it',
    };
  return { message, hint: 'close the bracket or quote that was opened, or put a comma between the entries' };
}
