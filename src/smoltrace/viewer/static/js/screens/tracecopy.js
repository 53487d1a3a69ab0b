/** Taking a trace along: as Markdown with the contents of its calls, or as JSON. */
import {headFacts, quotedSpans, traceJson, traceMarkdown} from '../model/tracetext.js';
import {copy, download} from '../paint/menu.js';

const MOST_QUOTED = 120;
const AT_ONCE = 6;
/** Longer texts are a file: clipboards choke on them. */
const MOST_COPIED = 2_000_000;

/**
 * @param {import('../model/tracemodel.js').TraceModel} model
 * @param {{of: (node: number) => Promise<any>}} details
 * @param {any} shell
 */
export function traceCopies(model, details, shell) {
  const title = model.given.header?.test_id ?? String(model.given.trace_id);

  async function hand(text, name, mime, button) {
    if (text.length <= MOST_COPIED) return copy(text, button);
    download(name, mime, text);
    return shell.toast(`Too long to copy: saved as ${name}`);
  }

  return {
    async markdown(button) {
      const {nodes, left} = quotedSpans(model, MOST_QUOTED);
      try {
        const contents = await inTurn(nodes, details);
        const head = {title, address: location.href, facts: headFacts(model.given.header, model)};
        await hand(traceMarkdown(model, head, contents, left), `${fileName(title)}.md`, 'text/markdown', button);
      } catch (error) {
        shell.toast(`The trace cannot be copied: ${error.message}`);
      }
    },
    json: (button) => hand(traceJson(model), `${fileName(title)}.json`, 'application/json', button),
  };
}

const fileName = (title) => title.replace(/[^\w.-]+/g, '_').slice(0, 80) || 'trace';

/** A few at once, in their order. */
async function inTurn(nodes, details) {
  const found = new Map(nodes.map((node) => [node, null]));
  const queue = [...nodes];
  const worker = async () => {
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) found.set(node, await details.of(node));
  };
  await Promise.all(Array.from({length: AT_ONCE}, worker));
  return found;
}
