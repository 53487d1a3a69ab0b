/** Tells of new results without moving what the reader looks at: they wait behind a pill. */

/** Ms between two looks: a busy store changes many times a second. */
const PAUSE = 1500;

export class LiveBoard {
  #version = null;
  #total = 0;
  #looking = false;
  #again = false;

  /**
   * @param {import('../data/adapter.js').Data} data
   * @param {{query: () => object, onPill: (text: string|null) => void}} does
   */
  constructor(data, does) {
    this.data = data;
    this.does = does;
  }

  /** What the reader has before him now. @param {{version: string, total: number}} page */
  shown({version, total}) {
    this.#version = version;
    this.#total = total;
    this.does.onPill(null);
  }

  start() {
    this.stop = this.data.watch(null, (change) => {
      if (change.version === undefined || change.version !== this.#version) void this.#look();
    });
  }

  /** One look at a time, and one more at the end when something changed meanwhile. */
  async #look() {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    try {
      const page = await this.data.leaderboard({...this.does.query(), offset: 0, limit: 1});
      if (page.version !== this.#version) this.does.onPill(pillText(page.total - this.#total));
    } catch {
      // The server is away or busy: the next change looks again, and what the reader does himself tells the error.
      this.does.onPill(null);
    } finally {
      setTimeout(() => {
        this.#looking = false;
        if (this.#again) void this.#look();
        this.#again = false;
      }, PAUSE);
    }
  }
}

function pillText(more) {
  return more > 0 ? `${more} new` : 'new results';
}
