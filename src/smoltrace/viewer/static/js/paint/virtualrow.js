/** One row of a virtual table. */
import {append, h, setProps} from './dom.js';

/**
 * @param {import('./virtual.js').Options} options
 * @param {number} index
 * @param {boolean} narrow as one cell, for a phone
 * @returns {HTMLElement}
 */
export function buildRow(options, index, narrow) {
  const row = options.rowAt(index);
  const grid = options.role !== undefined && options.role !== 'table';
  const role = grid ? 'gridcell' : 'cell';
  const tr = h('tr', {role: 'row', class: 'vt-row', 'aria-rowindex': String(index + 2), tabindex: '-1', 'data-index': String(index)});
  if (row === undefined) {
    tr.classList.add('vt-missing');
    tr.appendChild(h('td', {role, class: 'vt-wide', 'aria-busy': 'true'}, '…'));
    return tr;
  }
  if (options.onOpen) tr.classList.add('vt-opens');
  markSelected(tr, grid, options.selected !== null && options.selected !== undefined && options.keyOf?.(row) === options.selected);
  if (narrow) tr.appendChild(wideCell(options, row, index, role));
  else for (const column of options.columns) tr.appendChild(cell(column, row, index, role));
  addProps(tr, options.rowProps?.(row, index));
  return tr;
}

/** @param {HTMLElement} tr @param {boolean} grid @param {boolean} chosen */
function markSelected(tr, grid, chosen) {
  if (chosen) tr.classList.add('selected');
  if (grid) tr.setAttribute('aria-selected', String(chosen));
  else if (chosen) tr.setAttribute('aria-current', 'true');
}

/** A screen's own properties come on top; its classes beside ours. @param {HTMLElement} tr @param {Object<string, any>|undefined} props */
function addProps(tr, props) {
  if (!props) return;
  const {class: names, ...others} = props;
  for (const name of [names].flat().join(' ').split(' ')) if (name) tr.classList.add(name);
  setProps(tr, others);
}

/** @param {import('./virtual.js').Options} options @param {any} row @param {number} index @param {string} role */
function wideCell(options, row, index, role) {
  const td = h('td', {role, class: 'vt-wide', colspan: String(options.columns.length)});
  append(td, options.phone?.(row, index));
  return td;
}

/** @param {import('./virtual.js').Column} column @param {any} row @param {number} index @param {string} role */
function cell(column, row, index, role) {
  const td = h('td', {role, class: [column.align === 'right' && 'right', column.class]});
  append(td, column.cell(row, index));
  return td;
}
