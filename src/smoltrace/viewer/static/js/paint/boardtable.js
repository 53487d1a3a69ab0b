/** The leaderboard's table: its columns from the address, its rows as they come. */

import {columnsOf, nextSort} from '../model/columns.js';
import {phoneRow, pinColumn, tableColumn} from './boardcells.js';
import {h} from './dom.js';
import {virtualTable} from './virtual.js';

/**
 * @typedef {object} Does
 * @property {(runId: string) => void} onOpen
 * @property {(runId: string) => void} onPin
 * @property {(patch: object) => void} onChange a patch of the address
 * @property {(runId: string|null) => void} onPoint the pointer is on a row, or left it
 */

export class BoardTable {
  #columns = [];
  #pins = new Set();
  #sort = '';

  /** @param {import('../model/paging.js').Pages} rows @param {Does} does */
  constructor(rows, does) {
    this.does = does;
    this.pinning = {isPinned: (runId) => this.#pins.has(runId), onPin: does.onPin};
    const clear = h('button', {type: 'button', class: 'button', on: {click: does.onClear}}, 'Clear filters');
    this.none = h('div', {class: 'no-match'}, h('p', null, 'No run matches these filters.'), clear);
    this.table = virtualTable({
      label: 'Runs',
      columns: [],
      rowHeight: 36,
      phoneRowHeight: 51,
      count: 0,
      rowAt: (i) => rows.rowAt(i),
      need: (from, to) => rows.need(from, to),
      keyOf: (row) => row.run_id,
      selected: null,
      onOpen: (row, i, event) => does.onOpen(row.run_id, event),
      onSort: (key) => this.#sortBy(key),
      sort: '',
      phone: (row) => phoneRow(row, this.pinning),
      rowProps: (row) => this.#rowProps(row),
    });
    this.el = h('div', {class: 'board-table'}, this.table.el);
  }

  /** @param {{cols: string[], sort: string, pins: string[]}} state @param {number} total rows */
  update(state, total) {
    this.#columns = columnsOf(state.cols);
    this.#pins = new Set(state.pins);
    this.#sort = state.sort;
    this.el.classList.toggle('grouped', state.group === 'model');
    const columns = [pinColumn(this.pinning), ...this.#columns.map((column) => tableColumn(column, total))];
    this.table.update({columns, sort: state.sort, count: total, empty: this.none});
  }

  /** Rows came: those in sight are painted. */
  refresh() {
    this.table.refresh();
  }

  /** The pins changed: the rows stay as they are, focus too. @param {string[]} pins */
  showPins(pins) {
    this.#pins = new Set(pins);
    for (const row of this.el.querySelectorAll('tr[data-run]')) {
      const pinned = this.#pins.has(row.dataset.run);
      row.classList.toggle('pinned', pinned);
      row.querySelector('.pin')?.setAttribute('aria-pressed', String(pinned));
    }
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.table.el.setAttribute('aria-busy', String(busy));
  }

  #sortBy(key) {
    const column = this.#columns.find((one) => one.sort === key);
    if (column !== undefined) this.does.onChange({sort: nextSort(this.#sort, column)});
  }

  #rowProps(row) {
    const point = (runId) => () => this.does.onPoint(runId);
    const group = row._group ?? null;
    return {
      'data-run': row.run_id,
      class: [this.#pins.has(row.run_id) ? 'pinned' : '', group?.first ? 'group-first' : ''].join(' '),
      on: {mouseenter: point(row.run_id), mouseleave: point(null)},
    };
  }
}
