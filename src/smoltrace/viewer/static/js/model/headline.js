/** What a run's header says: each number with its unit, its doubt and its reason, as text. No DOM. */

import {aliveWord} from './alive.js';
import {count, dateTime, duration, grams, interval, money, percent, tokens, wh} from './format.js';
import {judgedTests, whyNoRate} from './judged.js';

/**
 * @typedef {{key: string, label: string, text: string|null, unit: string|null, est: boolean, bound: boolean,
 *   why: string|null, note: string|null, exact: string|null}} Headline  `exact`: every digit there is
 */

/** The headlines of a run, in the order of the page. @param {object} run as data.run() gives it @returns {Headline[]} */
export function headlines(run) {
  return [success(run), cost(run), energy(run), co2(run), time(run), tokensUsed(run), failures(run)];
}

function headline(key, label, text, more = {}) {
  return {key, label, text, unit: null, est: false, bound: false, why: null, note: null, exact: null, ...more};
}

function success({row}) {
  const judged = judgedTests(row);
  const note = judged ? `${interval(row.success_rate_ci_low, row.success_rate_ci_high)}, n ${count(judged)}` : 'n 0';
  return headline('success', 'Success', percent(row.success_rate), {unit: '%', note, why: whyNoRate(row)});
}

/** Money of the whole run; of a model on own hardware its electricity. */
function cost({row, manifest, reasons}) {
  const kind = row._cost?.kind;
  if (kind === 'electricity') {
    const price = money(number(manifest?.footprint?.power_price_usd_per_kwh));
    const note = price ? `electricity, ${price}/kWh` : 'electricity';
    return headline('cost', 'Cost', money(row.electricity_cost_usd), {est: true, note, exact: exact(row.electricity_cost_usd, 'USD')});
  }
  if (kind === 'free') return headline('cost', 'Cost', money(0), {note: 'declared free'});
  if (row.total_cost_usd !== null && row.total_cost_usd !== undefined) {
    const note = perTest(money(row.avg_cost_per_test_usd));
    return headline('cost', 'Cost', money(row.total_cost_usd), {note, exact: exact(row.total_cost_usd, 'USD')});
  }
  const told = reasons?.cost ?? row._cost?.reason ?? 'price unknown';
  const why = row._cost?.calls && row.unpriced_calls === row._cost.calls ? 'price unknown' : told;
  if (!row.cost_known_usd) return headline('cost', 'Cost', null, {why, note: why});
  const calls = row._cost?.calls;
  const note = `${count(row.unpriced_calls)}${calls ? ` of ${count(calls)}` : ''} calls unpriced`;
  return headline('cost', 'Cost', money(row.cost_known_usd), {bound: true, why, note, exact: `at least ${exact(row.cost_known_usd, 'USD')}`});
}

function exact(value, unit) {
  return known(value) ? `${Number(value.toPrecision(12))} ${unit}` : null;
}

function perTest(text) {
  return text ? `${text} a test` : null;
}

function energy({row, reasons}) {
  if (known(row.total_gpu_energy_wh)) {
    const idle = split(wh(row.gpu_energy_idle_wh));
    const note = idle.text ? `GPU, measured; idle ${idle.text}` : 'GPU, measured';
    return headline('energy', 'Energy', ...unitApart(wh(row.total_gpu_energy_wh), {note, exact: exact(row.total_gpu_energy_wh, 'Wh')}));
  }
  if (known(row.energy_estimated_wh_min)) {
    const note = `estimate${row.energy_estimate_method ? `: ${row.energy_estimate_method}` : ''}`;
    const range = between(wh(row.energy_estimated_wh_min), wh(row.energy_estimated_wh_max));
    return headline('energy', 'Energy', range.text, {unit: range.unit, est: true, note});
  }
  const why = reasons?.energy ?? row._energy?.reason ?? 'not measured';
  return headline('energy', 'Energy', null, {why, note: why});
}

function co2({row, manifest, reasons}) {
  const footprint = manifest?.footprint ?? {};
  const intensity = number(footprint.carbon_intensity_g_per_kwh);
  const where = footprint.country ? `, ${footprint.country} grid` : '';
  const note = intensity === null ? null : `${rounded(intensity)} g/kWh${where}`;
  if (known(row.co2_emissions_g)) return headline('co2', 'CO₂e', ...unitApart(grams(row.co2_emissions_g), {note, exact: exact(row.co2_emissions_g, 'g')}));
  if (known(row.co2_estimated_g_min)) {
    const range = between(grams(row.co2_estimated_g_min), grams(row.co2_estimated_g_max));
    return headline('co2', 'CO₂e', range.text, {unit: range.unit, est: true, note});
  }
  const why = reasons?.co2 ?? row._co2?.reason ?? 'not known';
  return headline('co2', 'CO₂e', null, {why, note: why});
}

/** A run without an end lasted at least to the last thing that is known of it. */
function time({row, end_ms: end}) {
  const [middle, most] = [duration(row.p50_duration_ms), duration(row.p95_duration_ms)];
  const note = middle && most ? `p50 ${middle} · p95 ${most}` : null;
  if (known(row.wall_time_ms)) return headline('duration', 'Duration', duration(row.wall_time_ms), {note, exact: exact(row.wall_time_ms, 'ms')});
  const why = 'the run has written no end';
  return headline('duration', 'Duration', end > 0 ? duration(end) : null, {bound: true, why, note: note ?? why});
}

function tokensUsed({row, reasons}) {
  const why = reasons?.tokens ?? 'the model told no usage';
  const [into, out] = [tokens(row.total_prompt_tokens), tokens(row.total_completion_tokens)];
  const note = into && out ? `in ${into} · out ${out}` : null;
  return headline('tokens', 'Tokens', tokens(row.total_tokens), {why, exact: exact(row.total_tokens, 'tokens'), note: note ?? (known(row.total_tokens) ? null : why)});
}

function failures(run) {
  const {row} = run;
  if (row.num_tests && !judgedTests(row)) return headline('failures', 'Failures', null, {why: whyNoRate(row), note: whyNoRate(row)});
  const classes = failureClasses(run);
  const none = judgedTests(row) < row.num_tests ? 'every test that was judged passed' : 'every test passed';
  const note = row.failed_tests ? `${count(classes)} ${classes === 1 ? 'class' : 'classes'}` : none;
  return headline('failures', 'Failures', count(row.failed_tests ?? null), {note: row.num_tests ? note : 'no test yet'});
}

/** How many classes the failures are of: error types, and wrong answers, which have none. */
function failureClasses({errors = [], statuses = {}}) {
  const typed = errors.filter(({error_type: type, count: tests}) => type && tests > 0).length;
  return typed + (statuses.failed > 0 || errors.some(({error_type: type}) => !type) ? 1 : 0);
}

/**
 * How a run stands.
 * @returns {{kind: 'running'|'incomplete'|'completed', text: string, finished: number, planned: number|null, resume: string|null}}
 */
export function standing(run) {
  const {_status: kind, _finished: finished, _planned: planned} = run;
  const progress = planned ? `${count(finished)} of ${count(planned)}` : `${count(finished)}`;
  const texts = {running: `${aliveWord()}, ${progress}`, incomplete: `incomplete, ${progress}`, completed: 'completed'};
  const resume = kind === 'incomplete' ? (run.manifest?.command_resume ?? null) : null;
  return {kind, text: texts[kind] ?? kind, finished, planned: planned ?? null, resume};
}

/**
 * Everything that was set and found, in groups of [name, value] for the disclosure; what was not set is left out.
 * @returns {{title: string, facts: [string, string][]}[]}
 */
export function facts(run) {
  const {manifest, row} = run;
  const config = manifest?.config ?? {};
  const groups = [
    ['Run', runFacts(run)],
    ['Footprint', footprintFacts(manifest?.footprint ?? {}, row)],
    ['Hardware and versions', [['hardware', manifest?.hardware ?? row.hardware], ...(run.gpus ?? []).map((gpu) => [`GPU ${gpu.id}`, gpu.name]), ...Object.entries(manifest?.versions ?? {})]],
    ['Configuration', Object.entries(flat(config))],
    ['Tags and notes', [...Object.entries(manifest?.tags ?? {}), ['notes', manifest?.notes]]],
  ];
  return groups
    .map(([title, pairs]) => ({title, facts: pairs.filter(([, value]) => told(value)).map(([name, value]) => [name, inWords(value)])}))
    .filter((group) => group.facts.length);
}

function runFacts({run_id: id, row, manifest, _t0_unix_ms: began}) {
  const tasks = manifest?.tasks ?? {};
  return [
    ['run', id],
    ['started', dateTime(began ?? row.evaluation_date)],
    ['model', manifest?.model ?? row.model],
    ['provider', manifest?.provider ?? row.provider],
    ['agent', manifest?.agent_type ?? row.agent_type],
    ['task set', tasks.name ?? row.dataset_used],
    ['fingerprint', tasks.fingerprint ?? row.dataset_fingerprint],
    ['attempts a test', row.attempts],
    ['submitted by', row.submitted_by],
  ];
}

function footprintFacts(footprint, row) {
  const intensity = number(footprint.carbon_intensity_g_per_kwh);
  const price = money(number(footprint.power_price_usd_per_kwh));
  return [
    ['country', footprint.country ?? row.country],
    ['carbon intensity', intensity === null ? null : `${rounded(intensity)} g CO₂e/kWh`],
    ['its source', footprint.carbon_source],
    ['power price', price === null ? null : `${price}/kWh${footprint.power_price_is_default ? ' (default)' : ''}`],
    ['electricity', money(row.electricity_cost_usd)],
    ['idle energy', wh(row.gpu_energy_idle_wh)],
    ['mean GPU utilisation', row.gpu_utilization_avg == null ? null : `${rounded(row.gpu_utilization_avg)} %`],
  ];
}

/** An object of objects as one level: {'agent.max_steps': 6}. Lists stay whole. @returns {Record<string, unknown>} */
export function flat(value, prefix = '') {
  const found = {};
  for (const [name, inner] of Object.entries(value)) {
    const path = prefix ? `${prefix}.${name}` : name;
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) Object.assign(found, flat(inner, path));
    else found[path] = inner;
  }
  return found;
}

function told(value) {
  return value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && !value.length);
}

function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const known = (value) => value !== null && value !== undefined;
const number = (value) => (known(value) && Number.isFinite(Number(value)) ? Number(value) : null);
const rounded = (value) => String(Number(value.toPrecision(3)));

/** '17.8 Wh' as its digits and its unit. @param {string|null} text */
export function split(text) {
  const at = text?.lastIndexOf(' ') ?? -1;
  return at < 0 ? {text, unit: null} : {text: text.slice(0, at), unit: text.slice(at + 1)};
}

function unitApart(text, more) {
  const apart = split(text);
  return [apart.text, {...more, unit: apart.unit}];
}

function between(low, high) {
  const [a, b] = [split(low), split(high)];
  if (high === null || low === high) return a;
  return a.unit === b.unit ? {text: `${a.text}–${b.text}`, unit: b.unit} : {text: `${low}–${b.text}`, unit: b.unit};
}
