/** The columns of the tree for a width: names, figures, and the rest for the waterfall. */

const TOKENS = 96;
const COST = 84;
const ENERGY = 54;
const LEAST_BARS = 180;
const EDGE = 14;
export const INDENT = 16;
export const PHONE_INDENT = 12;
/** Deeper levels are not moved further to the right; a number tells their depth. */
export const MOST_INDENTS = 12;

/**
 * @param {number} width px
 * @param {{tokens: boolean, cost: boolean, energy: boolean, phone: boolean}} has which figures the trace knows at all
 * @returns {{name: number, tokens: number, cost: number, energy: number, left: number, bars: number, phone: boolean}} px; 0: left out
 */
export function treeColumns(width, has) {
  if (has.phone) return {name: width, tokens: 0, cost: 0, energy: 0, left: 16, bars: Math.max(width - 32, 40), phone: true};
  const name = Math.round(Math.min(Math.max(0.33 * width, 210), 420));
  const columns = {tokens: has.tokens ? TOKENS : 0, cost: has.cost ? COST : 0, energy: has.energy ? ENERGY : 0};
  const rest = () => width - name - columns.tokens - columns.cost - columns.energy - 2 * EDGE;
  for (const column of ['energy', 'cost', 'tokens']) if (rest() < LEAST_BARS) columns[column] = 0;
  return {name, ...columns, left: width - rest() - EDGE, bars: Math.max(rest(), 40), phone: false};
}

/** How far a name is moved to the right, and whether its depth must be told. */
export function indentOf(depth, phone) {
  return {px: Math.min(depth, MOST_INDENTS) * (phone ? PHONE_INDENT : INDENT), told: depth > MOST_INDENTS};
}
