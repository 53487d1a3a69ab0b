/**
 * How wide the columns of the metric rows are, and in which form their cells stand.
 */

const LABEL = 180;
const BASE = 260;
const SMALL_BASE = 184;
/** A comparison on one line; on two; below that the box scrolls. */
const WIDE = 470;
const NARROW = 292;
const PAD = 16;
const VALUE = 100;
const DIFFERENCE = 64;
const WORDS = 172;
const COUNT = 32;
const GAPS = 32;

/**
 * @param {number} width px that there are
 * @param {number} others runs beside the baseline
 * @returns {{form: 'stacked' | 'wide' | 'narrow', label: number, base: number, other: number, plot: number,
 *   total: number}} px; `plot` is the room of a dot plot
 */
export function metricGrid(width, others) {
  if (width < 720) return { form: 'stacked', label: 0, base: 0, other: width, plot: Math.max(80, width - 2 * PAD - 230), total: width };
  const label = width < 1100 ? 148 : LABEL;
  const form = (width - label - BASE) / Math.max(others, 1) >= WIDE ? 'wide' : 'narrow';
  const base = form === 'wide' ? BASE : SMALL_BASE;
  const room = Math.floor((width - label - base) / Math.max(others, 1));
  // A lone other run need not stretch over a wide screen: the baseline takes its share.
  const other = form === 'wide' ? room : Math.max(room, NARROW);
  const plot = form === 'wide' ? Math.min(220, other - PAD - VALUE - DIFFERENCE - WORDS - COUNT - GAPS) : VALUE - PAD;
  return { form, label, base, other, plot: Math.max(72, Math.min(plot, 220)), total: label + base + other * others };
}
