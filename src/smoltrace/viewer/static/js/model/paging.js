/**
 * Rows of a long list, got page by page as they come in sight. A list that was asked anew drops what is still on its
 * way for the old one, however late it comes.
 */

const PAGE = 100;
/** More pages than this are not kept: those farthest from the last one asked for go first. */
const MOST_PAGES = 40;

/**
 * @typedef {object} Answer
 * @property {string} version
 * @property {number} total
 * @property {object[]} rows
 */

export class Pages {
  #generation = 0;
  #resetting = false;
  #total = 0;
  /** @type {Map<number, object[]>} */
  #kept = new Map();
  /** @type {Set<number>} */
  #underWay = new Set();

  /**
   * @param {(offset: number, limit: number) => Promise<Answer>} load
   * @param {{onRows: () => void, onError: (error: Error) => void, size?: number}} options
   */
  constructor(load, {onRows, onError, size = PAGE}) {
    Object.assign(this, {load, onRows, onError, size});
  }

  /** How many rows there are. @returns {number} */
  get total() {
    return this.#total;
  }

  /** @param {number} i @returns {object|undefined} */
  rowAt(i) {
    return this.#kept.get(Math.floor(i / this.size))?.[i % this.size];
  }

  /** @returns {object[]} every row at hand */
  rows() {
    return [...this.#kept.values()].flat();
  }

  /**
   * Asks the list anew; the old rows stay until the new ones are there.
   *
   * @returns {Promise<Answer|null>} null when it was asked anew once more meanwhile
   */
  async reset() {
    this.#generation += 1;
    const asked = this.#generation;
    this.#resetting = true;
    this.#underWay = new Set();
    try {
      const answer = await this.load(0, this.size);
      if (asked !== this.#generation) return null;
      this.#total = answer.total;
      this.#kept = new Map([[0, answer.rows]]);
      return answer;
    } catch (error) {
      if (asked !== this.#generation) return null;
      throw error;
    } finally {
      if (asked === this.#generation) this.#resetting = false;
    }
  }

  /** Gets the rows from..to (the last one excluded) and the page after them. */
  need(from, to) {
    if (this.#resetting || this.#total === 0) return;
    const end = Math.floor((this.#total - 1) / this.size);
    const last = Math.min(Math.floor(Math.max(to - 1, from) / this.size) + 1, end);
    for (let number = Math.floor(from / this.size); number <= last; number += 1) {
      if (!this.#kept.has(number) && !this.#underWay.has(number)) void this.#fetch(number);
    }
  }

  /**
   * Gets the pages at hand again. Rows take new values in their places; where rows came, went or changed places nothing
   * moves, and the answer says by how many the list has grown.
   * @param {(row: object) => string} keyOf
   * @returns {Promise<{moved: boolean, more: number}>}
   */
  async renew(keyOf) {
    const asked = this.#generation;
    let [moved, now] = [false, this.#total];
    for (const [number, old] of [...this.#kept]) {
      const {rows, total} = await this.load(number * this.size, this.size);
      if (asked !== this.#generation) return {moved: false, more: 0};
      now = total;
      const fresh = new Map(rows.map((row) => [keyOf(row), row]));
      if (rows.length !== old.length || old.some((row, i) => keyOf(row) !== keyOf(rows[i]))) moved = true;
      this.#kept.set(number, old.map((row) => fresh.get(keyOf(row)) ?? row));
    }
    return {moved: moved || now !== this.#total, more: now - this.#total};
  }

  async #fetch(number) {
    const asked = this.#generation;
    this.#underWay.add(number);
    try {
      const answer = await this.load(number * this.size, this.size);
      if (asked !== this.#generation) return;
      this.#underWay.delete(number);
      this.#total = answer.total;
      this.#kept.set(number, answer.rows);
      this.#trim(number);
      this.onRows();
    } catch (error) {
      if (asked !== this.#generation) return;
      this.#underWay.delete(number);
      this.onError(error);
    }
  }

  #trim(near) {
    if (this.#kept.size <= MOST_PAGES) return;
    const farthest = [...this.#kept.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    for (const number of farthest.slice(0, this.#kept.size - MOST_PAGES)) this.#kept.delete(number);
  }
}
