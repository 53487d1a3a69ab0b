/** The frame of the leaderboard's chart: how far its axes go, where their ticks are, and the band of the best run. */

/** Px that a tick label needs around it. */
const TICK_ROOM = 12;
const BAND_TEXT_HEIGHT = 16;

/**
 * From below the lowest whisker to above the highest, on whole tens above, never outside 0 to 100.
 *
 * @param {{y: number, ci_low: number|null, ci_high: number|null}[]} runs
 * @returns {[number, number]}
 */
export function yDomain(runs) {
  let low = Infinity;
  let high = -Infinity;
  for (const run of runs) {
    low = Math.min(low, run.ci_low ?? run.y);
    high = Math.max(high, run.ci_high ?? run.y);
  }
  if (low > high) return [0, 100];
  const top = Math.min(100, Math.ceil((high + 2) / 10) * 10);
  return [Math.max(0, Math.min(low - 3, top - 20)), top];
}

/**
 * Room left and right of the outermost points for marks and their labels; the points never span less than half a
 * decade, or a difference of a hair would look like a gulf.
 *
 * @param {{x: number}[]} points
 * @param {{x0: number, x1: number}} plot
 * @returns {[number, number]}
 */
export function xDomain(points, plot) {
  let low = Infinity;
  let high = -Infinity;
  for (const {x} of points) {
    low = Math.min(low, Math.log10(x));
    high = Math.max(high, Math.log10(x));
  }
  const spread = Math.max(high - low, 0.5);
  const middle = (low + high) / 2;
  const room = spread * Math.min(0.12, 70 / Math.max(plot.x1 - plot.x0, 1));
  return [10 ** (middle - spread / 2 - room), 10 ** (middle + spread / 2 + 1.5 * room)];
}

/**
 * @param {{at: (value: number) => number}} y
 * @param {{y0: number, y1: number}} plot
 * @returns {{y: number, value: number}[]} at every ten, or every twenty where that is too close
 */
export function yTicks(y, plot) {
  const inside = [];
  for (let value = 0; value <= 100; value += 10) {
    const place = y.at(value);
    if (place >= plot.y0 - 0.5 && place <= plot.y1 + 0.5) inside.push({y: place, value});
  }
  const close = inside.length > 1 && inside[0].y - inside[1].y < 22;
  return close ? inside.filter((tick) => tick.value % 20 === 0) : inside;
}

/**
 * Ticks at 1, 2 and 5 of every decade. Decades are labelled first; others where they leave room.
 *
 * @param {{ticks: (n: number) => {value: number, major: boolean}[], at: (value: number) => number}} x
 * @param {{x0: number, x1: number}} plot
 * @param {{tickText: (value: number) => string, measure: (text: string) => number}} texts
 * @returns {{x: number, text: string|null, major: boolean}[]}
 */
export function xTicks(x, plot, {tickText, measure}) {
  const ticks = x.ticks(24).map(({value, major}) => ({x: x.at(value), value, major: major === true, text: null}));
  const taken = [];
  for (const tick of [...ticks].sort((a, b) => Number(b.major) - Number(a.major))) {
    const text = tickText(tick.value);
    const half = measure(text) / 2 + TICK_ROOM / 2;
    const [from, to] = [tick.x - half, tick.x + half];
    const free = taken.every(([start, end]) => to <= start || from >= end);
    if (free && from >= plot.x0 - TICK_ROOM && to <= plot.x1 + TICK_ROOM) {
      tick.text = text;
      taken.push([from, to]);
    }
  }
  return ticks.map(({x: place, text, major}) => ({x: place, text, major}));
}

/**
 * The interval of the best run across plot and strips. Its words stand at its left or right end, where no mark is.
 *
 * @param {[number, number]|null} interval
 * @param {object} around
 * @param {{x0: number, x1: number, y0: number, y1: number}} around.plot
 * @param {number} around.right
 * @param {{at: (value: number) => number}} around.y
 * @param {{x: number, top: number, bottom: number, radius: number}[]} around.marks
 * @param {number} around.textWidth
 * @returns {{x: number, y: number, w: number, h: number, text: {x: number, y: number}|null}|null}
 */
export function bandBox(interval, {plot, right, y, marks, textWidth}) {
  if (interval === null || interval === undefined) return null;
  const top = y.at(interval[1]);
  const bottom = y.at(interval[0]);
  const band = {x: plot.x0, y: top, w: right - plot.x0, h: bottom - top, textWidth};
  if (textWidth === 0 || band.h < BAND_TEXT_HEIGHT + 4) return {...band, text: null};
  const places = [];
  for (const textY of [top + 4, bottom - BAND_TEXT_HEIGHT - 4]) {
    for (const textX of [plot.x0 + 8, plot.x1 - textWidth - 8]) places.push({x: textX, y: textY});
  }
  const text = places.find((place) => marks.every((mark) => !covers(place, textWidth, mark)));
  return {...band, text: text ?? null};
}

function covers(place, width, {x, top, bottom, radius}) {
  const across = place.x - 4 < x + radius && x - radius < place.x + width + 4;
  return across && place.y < bottom && top < place.y + BAND_TEXT_HEIGHT;
}
