/**
 * What spans used: their own, and summed up over a subtree. Unknown is NaN: it is left out of sums and never counts as 0.
 *
 * @typedef {{tokensIn: Float64Array, tokensOut: Float64Array, cost: Float64Array, energy: Float64Array,
 *            unpriced: Int32Array, priced: Int32Array, isElectricity: boolean}} Figures
 *   `unpriced` and `priced`: the model calls without and with a price; `isElectricity`: the cost is that of the energy used
 */

/**
 * @param {import('./tree.js').Tree} tree  @param {Object<string, Array>} columns  @param {boolean} [isElectricity]
 * @returns {{own: Figures, total: Figures}}
 */
export function rollUps(tree, columns, isElectricity = false) {
  const own = {
    tokensIn: known(columns.tokens_in, tree),
    tokensOut: known(columns.tokens_out, tree),
    cost: known(columns.cost, tree),
    energy: known(columns.energy_wh, tree),
    unpriced: new Int32Array(tree.nodes),
    priced: new Int32Array(tree.nodes),
  };
  for (let i = 0; i < tree.count; i++) {
    own.unpriced[i] = columns.unpriced?.[i] ? 1 : 0;
    own.priced[i] = Number.isNaN(own.cost[i]) ? 0 : 1;
  }
  const total = {isElectricity};
  for (const [name, values] of Object.entries(own)) total[name] = summed(tree, values);
  return {own: {...own, isElectricity}, total};
}

function known(values, tree) {
  const numbers = new Float64Array(tree.nodes).fill(NaN);
  for (let i = 0; i < tree.count; i++) if (values && values[i] != null) numbers[i] = values[i];
  return numbers;
}

function summed(tree, values) {
  const sums = values.slice();
  for (let at = tree.nodes - 1; at > 0; at--) {
    const node = tree.order[at];
    const up = tree.parent[node];
    if (up < 0 || Number.isNaN(sums[node])) continue;
    sums[up] = Number.isNaN(sums[up]) ? sums[node] : sums[up] + sums[node];
  }
  return sums;
}

/** Whether any span has a value: a column without one is not shown. */
export function anyKnown(values) {
  return values.some((value) => !Number.isNaN(value));
}
