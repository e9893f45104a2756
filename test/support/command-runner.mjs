// Runs commands of the program one after the other in one process, each as if that had been started for it.
import { setMaxListeners } from 'node:events';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';

const ENTRY = new URL('../../bundle/cli/main.js', import.meta.url).href;
const STREAMS = ['stdout', 'stderr'];
const write = Object.fromEntries(STREAMS.map((name) => [name, process[name].write]));
setMaxListeners(0, process.stdout, process.stderr);

let count = 0;
let last = Promise.resolve();
process.on('message', (asked) => {
  last = last.then(async () => process.send(await run(asked)));
});
process.on('disconnect', () => process.exit());

async function run({ id, args, cwd, env }) {
  const said = { stdout: [], stderr: [] };
  for (const name of STREAMS)
    process[name].write = (chunk, ...more) => {
      said[name].push(Buffer.from(chunk));
      more.find((one) => typeof one === 'function')?.();
      return true;
    };
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, 'gatepost', ...args];
  process.chdir(cwd);
  process.exitCode = 0;
  const before = await holding();
  count += 1;
  // The entry is evaluated anew each time; what it loads stays.
  await import(`${ENTRY}?${count}`).catch((error) => {
    said.stderr.push(Buffer.from(String(error.stack)));
    process.exitCode = 1;
  });
  // A process of its own ends when nothing holds it any more.
  while ((await holding()) > before) await delay(5);
  const status = process.exitCode;
  process.exitCode = 0;
  for (const name of STREAMS) process[name].write = write[name];
  const [stdout, stderr] = STREAMS.map((name) => Buffer.concat(said[name]).toString());
  return { id, result: { status, stdout, stderr } };
}

/** How much keeps the process from ending. */
async function holding() {
  await setImmediate();
  return process.getActiveResourcesInfo().length;
}
