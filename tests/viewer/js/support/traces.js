/** Traces for the tests: spans as [parent, start, end], and a repeatable source of numbers. */

/** @param {[number, number, number|null][]} spans  @param {Object<string, Array>} more columns */
export function spansOf(spans, more = {}) {
  const none = spans.map(() => null);
  return {
    count: spans.length,
    columns: {
      id: spans.map((_, i) => (0x1a2b3c4d + 7919 * i).toString(16).padStart(8, '0') + String(i).padStart(8, '0')),
      parent: spans.map(([parent]) => parent),
      start_ms: spans.map(([, start]) => start),
      end_ms: spans.map(([, , end]) => end),
      name: spans.map((_, i) => `span ${i}`),
      kind: spans.map(() => 'other'),
      error: none,
      tokens_in: none,
      tokens_out: none,
      cost: none,
      unpriced: none,
      energy_wh: none,
      model: none,
      tool: none,
      step: none,
      ...more,
    },
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A random forest with overlapping children, children beyond their parents, spans of no length and spans without an end. */
export function randomForest(next, {count = 8, length = 24} = {}) {
  const spans = [];
  for (let i = 0; i < count; i++) {
    const start = Math.floor(next() * length);
    const end = start + Math.floor(next() * (length - start + 1));
    spans.push([i === 0 ? -1 : Math.floor(next() * i), start, next() < 0.1 ? null : end]);
  }
  spans[0] = [-1, 0, length];
  return spansOf(spans);
}
