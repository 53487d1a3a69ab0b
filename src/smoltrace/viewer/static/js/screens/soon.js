/** Work that many events ask for, done less often. */

/**
 * At once when it was quiet before, else when it is quiet again; the last call counts.
 * @template {any[]} A
 * @param {(...args: A) => void} fn
 * @param {number} ms
 * @returns {(...args: A) => void}
 */
export function soon(fn, ms) {
  let timer = 0;
  let last = -Infinity;
  return (...args) => {
    const now = performance.now();
    clearTimeout(timer);
    if (now - last > 2 * ms) {
      last = now;
      fn(...args);
      return;
    }
    last = now;
    timer = setTimeout(() => fn(...args), ms);
  };
}
