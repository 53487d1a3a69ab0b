/** The contents of spans, fetched when they are wanted and kept for a while. */
import {textIn} from '../model/pretty.js';

const MOST_KEPT = 300;

export class SpanDetails {
  /** @type {Map<number, Promise<any>>} */
  #kept = new Map();
  /** @type {Promise<any>|null} */
  #test = null;

  /**
   * @param {any} data
   * @param {import('../model/tracemodel.js').TraceModel} model
   * @param {(node: number) => void} onLoaded  Find can look into this span now
   */
  constructor(data, model, onLoaded) {
    this.data = data;
    this.model = model;
    this.onLoaded = onLoaded;
    this.run = model.given.run_id;
    this.trace = model.given.trace_id;
  }

  async #load(node) {
    const detail = await this.data.span(this.run, this.trace, this.model.idOf(node));
    const {attributes, messages, input, output, events, status_description: status} = detail;
    this.model.search.add(node, textIn([attributes, messages, input, output, events, status]));
    this.onLoaded(node);
    return detail;
  }

  /** @param {number} node  @returns {Promise<any>} */
  of(node) {
    const known = this.#kept.get(node);
    if (known) return known;
    const wanted = this.#load(node);
    this.#kept.set(node, wanted);
    wanted.catch(() => this.#kept.delete(node)); // what failed may be asked again
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
    return wanted;
  }

  /** The whole of a text that was cut. @param {number} node  @param {string} ref */
  async whole(node, ref) {
    const answer = await this.data.text(this.run, this.trace, this.model.idOf(node), ref);
    return answer.text;
  }

  /** What the test asked, expected and got: whole, or where that cannot be had, as the trace tells it. */
  async test() {
    const {header} = this.model.given;
    if (!header?.row) return null;
    this.#test ??= this.data.test(this.run, header.test_case_uid).then((answer) => answer.row, () => header.row);
    return this.#test;
  }

  /** The whole of a text of that row. @param {string} ref */
  async wholeOfTest(ref) {
    const answer = await this.data.testText(this.run, this.model.given.header.test_case_uid, ref);
    return answer.text;
  }
}
