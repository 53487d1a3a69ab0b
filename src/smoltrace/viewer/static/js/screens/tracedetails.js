/** The contents of spans, fetched when they are wanted and kept for a while. */
import {textIn} from '../model/pretty.js';

const MOST_KEPT = 300;

/**
 * @param {any} data
 * @param {import('../model/tracemodel.js').TraceModel} model
 * @param {(node: number) => void} onLoaded  Find can look into this span now
 */
export function spanDetails(data, model, onLoaded) {
  const {run_id: run, trace_id: trace} = model.given;
  /** @type {Map<number, Promise<any>>} */
  const kept = new Map();

  async function load(node) {
    const detail = await data.span(run, trace, model.idOf(node));
    model.search.add(node, textIn([detail.attributes, detail.messages, detail.input, detail.output, detail.events, detail.status_description]));
    onLoaded(node);
    return detail;
  }

  return {
    /** @param {number} node  @returns {Promise<any>} */
    of(node) {
      const known = kept.get(node);
      if (known) return known;
      const wanted = load(node);
      kept.set(node, wanted);
      wanted.catch(() => kept.delete(node)); // what failed may be asked again
      if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
      return wanted;
    },
    /** The whole of a text that was cut. */
    async whole(node, ref) {
      const answer = await data.text(run, trace, model.idOf(node), ref);
      return answer.text;
    },
  };
}
