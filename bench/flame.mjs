// Flame graphs (SVG) of V8's CPU profiles.

const WIDTH = 1200;
const ROW = 17;
const MARGIN = 24;
/** Narrower ones are left out. px */
const NARROWEST = 1.5;
const CHARACTER = 6.2;
/** Fill by where the code is from. */
const COLOURS = { gatepost: '#f2a65a', library: '#9cc5a1', node: '#a9bcd0', engine: '#d9d9d9' };

/**
 * Adds up the samples of a profile by stack, without idling and without what happened before the load (loading modules).
 * @returns {{ name: string, origin: string, time: number, below: Map<string, object> }} times in µs
 */
export function foldStacks(profile) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((id) => [id, node.id])));
  const root = { name: 'all', origin: 'engine', time: 0, below: new Map() };
  for (const [i, id] of profile.samples.entries()) {
    const stack = [];
    for (let at = nodes.get(id); at !== undefined; at = nodes.get(parents.get(at.id))) stack.unshift(at.callFrame);
    const names = stack.slice(1).filter(({ functionName, url }) => !isPlumbing(functionName, url));
    const leaf = stack.at(-1)?.functionName;
    if (leaf === '(idle)' || leaf === '(program)' || stack.some(isLoading)) continue;
    const time = profile.timeDeltas[i];
    root.time += time;
    let at = root;
    for (const { functionName, url } of names) {
      const name = functionName === '' ? '(anonymous)' : functionName;
      const origin = originOf(url);
      const key = `${origin} ${name}`;
      let next = at.below.get(key);
      if (next === undefined) at.below.set(key, (next = { name, origin, time: 0, below: new Map() }));
      next.time += time;
      at = next;
    }
  }
  return root;
}

function isPlumbing(name, url) {
  return (
    url.startsWith('node:') &&
    (name === '' || /^(processTicksAndRejections|runNextTicks|emit|callbackTrampoline)$/.test(name))
  );
}

function isLoading({ functionName, url }) {
  return (
    /^(compileSourceTextModule|evaluate|importModuleDynamically\w*|wrapSafe)$/.test(functionName) ||
    url.includes('node:internal/modules')
  );
}

function originOf(url) {
  if (url === '') return 'engine';
  if (url.startsWith('node:')) return 'node';
  return url.includes('/node_modules/') ? 'library' : 'gatepost';
}

/** Draws it: the root below, each as wide as its share of the time, with a title for the pointer. */
export function flameGraph(root, title) {
  const boxes = [];
  let deepest = 0;
  const place = (node, x, depth) => {
    const width = (node.time / root.time) * WIDTH;
    if (width < NARROWEST) return;
    deepest = Math.max(deepest, depth);
    boxes.push({ node, x, depth, width });
    let from = x;
    for (const next of [...node.below.values()].sort((a, b) => b.time - a.time)) {
      place(next, from, depth + 1);
      from += (next.time / root.time) * WIDTH;
    }
  };
  place(root, 0, 0);
  const height = MARGIN * 2 + (deepest + 1) * ROW;
  const drawn = boxes.map(({ node, x, depth, width }) => {
    const y = height - MARGIN - (depth + 1) * ROW;
    const share = `${((node.time / root.time) * 100).toFixed(1)} %`;
    const fits = Math.floor((width - 4) / CHARACTER);
    const label = fits < 3 ? '' : node.name.slice(0, fits);
    return `<g><title>${escaped(`${node.name} (${node.origin}) ${share}`)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[node.origin]}"/><text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(label)}</text></g>`;
  });
  const legend = Object.entries(COLOURS)
    .map(
      ([origin, colour], i) =>
        `<rect x="${WIDTH - 420 + i * 105}" y="6" width="12" height="12" fill="${colour}"/><text x="${WIDTH - 403 + i * 105}" y="16">${origin}</text>`,
    )
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11"><rect width="100%" height="100%" fill="#fff"/><text x="4" y="16" font-size="13">${escaped(title)}</text>${legend}\n${drawn.join('\n')}\n</svg>\n`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
