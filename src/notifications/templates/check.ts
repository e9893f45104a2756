import { nearest } from '../../config/suggest.js';
import { MACROS, type MacroShape, type TemplateKind } from './macros.js';
import { offsetOf, type TextProblem } from './position.js';
import { lookUp, ROOT, type Lookup, type Scope } from './scope.js';

const BLOCK_HELPERS = ['if', 'unless', 'each', 'with'];
/** A flag in running text is printed by another name, so that it reads as yes or no. */
export const FLAG_TEXT = 'Text';

/**
 * Walks a parsed template, notes what is wrong, and rewrites what means nothing into plain text. The tree is changed in
 * place.
 */
export class TemplateChecker {
  readonly problems: TextProblem[] = [];
  private readonly text: string;
  private readonly kind: TemplateKind;

  constructor(text: string, kind: TemplateKind) {
    this.text = text;
    this.kind = kind;
  }

  check(program: hbs.AST.Program, scope: Scope = ROOT): void {
    program.body = program.body.map((statement) => {
      if (isMustache(statement)) return this.mustache(statement, scope);
      if (isBlock(statement)) this.block(statement, scope);
      else if (statement.type !== 'ContentStatement' && statement.type !== 'CommentStatement')
        this.error(statement, 'partials and decorators cannot be used in these templates');
      return statement;
    });
  }

  private mustache(statement: hbs.AST.MustacheStatement, scope: Scope): hbs.AST.Statement {
    const { path } = statement;
    if (statement.params.length > 0 || hasPairs(statement.hash)) {
      if (isPath(path) && path.original === 'lookup') this.lookup(statement, scope);
      else this.error(statement, `there is no helper \`${isPath(path) ? path.original : '?'}\``, 'write {{name}} alone');
      statement.escaped = true;
      return statement;
    }
    if (!isPath(path)) return this.asWritten(statement);
    const found = this.resolve(path, scope);
    if (found.kind === 'unknown') return this.asWritten(statement);
    if (found.kind === 'invalid') {
      this.invalid(statement, found.name);
      return statement;
    }
    if (found.shape === 'flag') path.parts = path.parts.map((part, i, all) => (i === all.length - 1 ? part + FLAG_TEXT : part));
    if (!statement.escaped) {
      // A value from a message never stands unescaped in HTML.
      statement.escaped = true;
      this.warn(statement, `\`${this.source(statement)}\`: values are escaped all the same`, 'write it with two braces');
    }
    return statement;
  }

  /** The second parameter never comes from a message: it could name what is no value of the list. */
  private lookup(statement: hbs.AST.MustacheStatement, scope: Scope): void {
    const [list, key, ...more] = statement.params;
    if (list === undefined || key === undefined || more.length > 0 || hasPairs(statement.hash)) {
      this.error(statement, '`lookup` takes a list and a number', 'such as {{lookup objects @index}}');
      return;
    }
    const shape = this.parameters([list], scope);
    if (shape === undefined) return;
    if (!isPath(list) || shape === 'text' || shape === 'flag')
      this.error(statement, `\`lookup\`: \`${this.source(list)}\` is not a list`);
    else if (!isKeyOf(key, shape))
      this.error(statement, `\`lookup\`: \`${this.source(key)}\` names nothing in \`${list.original}\``, 'write a number, a name or @index');
  }

  private block(statement: hbs.AST.BlockStatement, scope: Scope): void {
    const helper = statement.path.original;
    if (!BLOCK_HELPERS.includes(helper)) {
      const list = this.resolve(statement.path, scope);
      const hint =
        list.kind === 'known' ? `write {{#each ${helper}}} or {{#if ${helper}}}` : `known are ${BLOCK_HELPERS.join(', ')}`;
      this.error(statement, `there is no block \`#${helper}\``, hint);
      return;
    }
    const shape = this.parameters(statement.params, scope);
    if (statement.params.length !== 1) {
      this.error(statement, `\`#${helper}\` takes exactly one name`);
      return;
    }
    if (shape === undefined) return;
    if (helper === 'each' && (shape === 'text' || shape === 'flag')) {
      this.error(statement, `\`#each\`: \`${this.source(statement.params[0] ?? statement)}\` is not a list`);
      return;
    }
    // An `#if` that is written without its main part has none, whatever the types say.
    const parts: (hbs.AST.Program | undefined)[] = [statement.program, statement.inverse];
    const [main, inverse] = parts;
    if (main !== undefined) this.check(main, innerScope(helper, shape, main.blockParams, scope));
    if (inverse !== undefined) this.check(inverse, scope);
  }

  /** The shape of the last parameter; undefined when one of them is wrong, which has been noted then. */
  private parameters(params: readonly hbs.AST.Expression[], scope: Scope): MacroShape | undefined {
    let shape: MacroShape | undefined = 'text';
    for (const param of params) {
      if (isSubExpression(param)) {
        this.error(param, 'expressions in brackets cannot be used in these templates');
        return undefined;
      }
      if (!isPath(param)) continue;
      const found = this.resolve(param, scope);
      if (found.kind === 'known') {
        shape = found.shape;
        continue;
      }
      if (found.kind === 'invalid') this.invalid(param, found.name);
      else {
        const meant = nearest(param.original, MACROS.keys());
        this.error(
          param,
          `\`${param.original}\` is not a macro`,
          meant === undefined ? undefined : `did you mean \`${meant}\`?`,
        );
      }
      shape = undefined;
    }
    return shape;
  }

  /** A name of the whole that is used inside a loop is made to point there. */
  private resolve(path: hbs.AST.PathExpression, scope: Scope): Lookup {
    const found = lookUp(path, scope, this.kind);
    if (found.kind === 'known' && found.root) {
      path.data = true;
      path.parts = ['root', ...path.parts];
    }
    return found;
  }

  private asWritten(statement: hbs.AST.MustacheStatement): hbs.AST.ContentStatement {
    const source = this.source(statement);
    const name = isPath(statement.path) ? statement.path.original : source;
    const meant = nearest(name, MACROS.keys());
    this.warn(
      statement,
      `${source} is not a macro: it stays in the text as written`,
      meant === undefined ? undefined : `did you mean \`${meant}\`?`,
    );
    const content: hbs.AST.ContentStatement & { readonly value: string } = {
      type: 'ContentStatement',
      value: source,
      original: statement.strip,
      loc: statement.loc,
    };
    return content;
  }

  private invalid(node: hbs.AST.Node, name: string): void {
    const kinds = MACROS.get(name)?.kinds.join(', ') ?? '';
    this.error(
      node,
      `\`${name}\` cannot be used in a template of kind \`${this.kind}\``,
      `it is valid in ${kinds}; \`kind:\` in the front matter says what a template is for`,
    );
  }

  private source(node: hbs.AST.Node): string {
    const { start, end } = node.loc;
    return this.text.slice(offsetOf(this.text, start.line, start.column), offsetOf(this.text, end.line, end.column));
  }

  private error(node: hbs.AST.Node, message: string, hint?: string): void {
    this.note('error', node, message, hint);
  }

  private warn(node: hbs.AST.Node, message: string, hint?: string): void {
    this.note('warning', node, message, hint);
  }

  private note(severity: TextProblem['severity'], node: hbs.AST.Node, message: string, hint?: string): void {
    const offset = offsetOf(this.text, node.loc.start.line, node.loc.start.column);
    this.problems.push({ severity, offset, message, ...(hint === undefined ? {} : { hint }) });
  }
}

function innerScope(helper: string, shape: MacroShape, blockParams: readonly string[] | undefined, scope: Scope): Scope {
  if (helper === 'if' || helper === 'unless') return scope;
  const inner = helper === 'each' && shape === 'texts' ? 'text' : shape;
  const [item, index] = blockParams ?? [];
  const named = new Map<string, MacroShape>();
  if (item !== undefined) named.set(item, inner);
  if (index !== undefined) named.set(index, 'text');
  return { parent: scope, shape: inner, named };
}

/** A number, a field of an item, or what a loop is at. */
function isKeyOf(key: hbs.AST.Expression, shape: Exclude<MacroShape, 'text' | 'flag'>): boolean {
  if (isPath(key)) return key.data && key.depth === 0 && ['index', 'key'].includes(key.parts.join('.'));
  const { value } = 'value' in key ? key : { value: undefined };
  const name = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return /^(?:\d{1,4}|length)$/.test(name) || (shape !== 'texts' && shape.includes(name));
}

function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement';
}

function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement';
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression';
}

function isSubExpression(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression';
}

function hasPairs(hash: hbs.AST.Hash | undefined): boolean {
  return (hash?.pairs.length ?? 0) > 0;
}
