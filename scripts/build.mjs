// Makes dist/ of src/, module by module, and bundles that for bin/gatepost.js. Run by "npm ci" (prepare) and
// "npm run build". Types are only taken away: whether they are right "npm run typecheck" says, which "npm test" does too.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
/** In the bundle: what it was made of. */
const STAMP = path.join(root, 'bundle', 'made-of');

let transform;
try {
  ({ transformSync: transform } = await import('rolldown/utils'));
} catch (error) {
  // Installed without development dependencies: an unpacked package brings the bundle along.
  if (existsSync(path.join(root, 'bundle', 'cli', 'main.js'))) process.exit(0);
  process.stderr.write(`Rolldown is needed to build: run "npm ci" with development dependencies. (${error.message})\n`);
  process.exit(1);
}
const { ASSETS, bundle } = await import('./bundle.mjs');

const src = path.join(root, 'src');
const sources = readdirSync(src, { recursive: true })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => path.join(src, name))
  .sort();
const outputOf = (source) => path.join(dist, path.relative(src, source)).replace(/\.ts$/, '.js');
const assets = ASSETS.map((name) => [path.join(src, name), path.join(dist, name)]);

if (process.argv.includes('--clean')) rmSync(dist, { recursive: true, force: true });
const wanted = new Set([
  ...sources.map(outputOf).flatMap((file) => [file, `${file}.map`]),
  ...assets.map(([, file]) => file),
]);
const stamp = stampOf();
// As "npm ci" and "npm test" after it: nothing has changed.
if (readFile(STAMP)?.toString() === stamp && [...wanted].every((file) => existsSync(file))) process.exit(0);

rmSync(STAMP, { force: true });
for (const source of sources) {
  const output = outputOf(source);
  const name = path.relative(path.dirname(output), source);
  const { code, map, errors } = transform(name, readFileSync(source, 'utf8'), {
    lang: 'ts',
    sourceType: 'module',
    target: 'node20',
    sourcemap: true,
    // As "verbatimModuleSyntax" in tsconfig.json.
    typescript: { onlyRemoveTypeImports: true },
  });
  if (errors.length > 0) {
    process.stderr.write(`${path.relative(root, source)}: ${errors.map(({ message }) => message).join('; ')}\n`);
    process.exit(1);
  }
  write(output, `${code}//# sourceMappingURL=${path.basename(output)}.map\n`);
  write(`${output}.map`, JSON.stringify({ ...map, sourcesContent: undefined }));
}
for (const [from, to] of assets) write(to, readFileSync(from));
for (const name of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const file = path.join(name.parentPath, name.name);
  if (name.isFile() && !wanted.has(file)) rmSync(file);
}
await bundle(root);
writeFileSync(STAMP, stamp);

/** Of all that the outputs depend on: sources, settings, these scripts, and the packages that are installed. */
function stampOf() {
  const names = ['tsconfig.json', 'package.json', 'package-lock.json'];
  const files = [
    ...names.map((name) => path.join(root, name)),
    path.join(root, 'node_modules', '.package-lock.json'),
    path.join(root, 'scripts', 'build.mjs'),
    path.join(root, 'scripts', 'bundle.mjs'),
    ...sources,
    ...assets.map(([from]) => from),
  ];
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFile(file);
    hash.update(`${path.relative(root, file)} ${content?.length}\n`).update(content ?? '');
  }
  return hash.digest('hex');
}

function readFile(file) {
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** What is the same already stays as it is: others may be reading it. */
function write(file, content) {
  if (readFile(file)?.equals(Buffer.from(content))) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}
