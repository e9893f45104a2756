// Compiles src/ to dist/, and bundles that for bin/gatepost.js. Run by "npm ci" (prepare) and "npm run build".
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
let tsc;
try {
  tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
} catch {
  // Installed without development dependencies: an unpacked package brings the bundle along.
  if (existsSync(path.join(root, 'bundle', 'cli', 'main.js'))) process.exit(0);
  process.stderr.write('TypeScript is needed to build: run "npm ci" with development dependencies.\n');
  process.exit(1);
}
if (process.argv.includes('--clean')) rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
  cwd: root,
});
if (status !== 0) process.exit(status ?? 1);
const { ASSETS, bundle } = await import('./bundle.mjs');
for (const name of ASSETS) copyFileSync(path.join(root, 'src', name), path.join(root, 'dist', name));
await bundle(root);
