/** Which spans belong to a model call: the tools that it asked for, and the next call, which was told what came of it. */

/** The tool spans (or delegated agents) of a call's step between this call and the next one. @returns {number[]} */
export function answersOf(tree, kinds, chat) {
  const found = [];
  for (let node = tree.next[chat]; node >= 0 && kinds[node] !== 'chat'; node = tree.next[node]) {
    if (kinds[node] === 'tool' || kinds[node] === 'agent') found.push(node);
  }
  return found;
}

/** For each call of a message the tool span that did it: of the spans with its name the first that is free, else null. */
export function pairedCalls(calls, spans, toolName) {
  const free = [...spans];
  return calls.map((call) => {
    const at = free.findIndex((node) => toolName(node) === call.name);
    return at < 0 ? null : free.splice(at, 1)[0];
  });
}

/** The next model call of the same agent: in this step, else in the next step that has one; −1 for the last. */
export function nextChat(tree, kinds, chat) {
  for (let node = tree.next[chat]; node >= 0; node = tree.next[node]) if (kinds[node] === 'chat') return node;
  const step = tree.parent[chat];
  if (step < 0 || kinds[step] !== 'step') return -1;
  for (let other = tree.next[step]; other >= 0; other = tree.next[other]) {
    for (let node = tree.first[other]; node >= 0; node = tree.next[node]) if (kinds[node] === 'chat') return node;
  }
  return -1;
}

/** The model calls right below a step or an agent. @returns {number[]} */
export function chatsOf(tree, kinds, node) {
  const found = [];
  for (let child = tree.first[node]; child >= 0; child = tree.next[child]) if (kinds[child] === 'chat') found.push(child);
  return found;
}
