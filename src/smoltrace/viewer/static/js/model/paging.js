/** Rows of a long list that come in pages, asked for as they come in sight. */

/**
 * @template R
 * @param {object} options
 * @param {(offset: number, limit: number) => Promise<{total: number, rows: R[]}>} options.load
 * @param {() => void} options.onRows a page has come
 * @param {(error: unknown) => void} options.onError
 * @param {number} [options.size] rows a page
 */
export function pagedRows({load, onRows, onError, size = 200}) {
  /** @type {Map<number, R[]>} */
  let pages = new Map();
  /** @type {Set<number>} */
  let asked = new Set();
  let total = 0;
  let age = 0;

  /** @param {number} page */
  async function fetchPage(page) {
    const mine = age;
    asked.add(page);
    try {
      const {rows, total: all} = await load(page * size, size);
      if (mine !== age) return;
      pages.set(page, rows);
      total = all;
      onRows();
    } catch (error) {
      if (mine !== age) return;
      asked.delete(page);
      onError(error);
    }
  }

  return {
    count: () => total,
    /** @param {number} index @returns {R|undefined} */
    at: (index) => pages.get(Math.floor(index / size))?.[index % size],
    /** @param {number} from @param {number} to */
    need(from, to) {
      for (let page = Math.floor(from / size); page * size < to; page += 1) if (!asked.has(page)) void fetchPage(page);
    },
    /** Forgets everything, for another query; answers when the first page is there. @returns {Promise<void>} */
    restart() {
      age += 1;
      pages = new Map();
      asked = new Set();
      return fetchPage(0);
    },
    /**
     * Asks again for pages that are here. Rows take new values in their places; where rows came, went or changed places,
     * nothing moves, and the answer says by how many rows the list has grown.
     * @param {(row: R) => string} keyOf
     * @returns {Promise<{moved: boolean, more: number}>}
     */
    async renew(keyOf) {
      const mine = age;
      let moved = false;
      let now = total;
      for (const [page, old] of [...pages]) {
        const {rows, total: all} = await load(page * size, size);
        if (mine !== age) return {moved: false, more: 0};
        now = all;
        const fresh = new Map(rows.map((row) => [keyOf(row), row]));
        if (rows.length !== old.length || old.some((row, index) => keyOf(row) !== keyOf(rows[index]))) moved = true;
        pages.set(page, old.map((row) => fresh.get(keyOf(row)) ?? row));
      }
      return {moved: moved || now !== total, more: now - total};
    },
  };
}
