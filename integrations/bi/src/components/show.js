// How numbers, tables and charts look on all pages.
import * as Plot from "@observablehq/plot";
import {html} from "htl";

const missing = "–";
const has = (x) => x !== null && x !== undefined && !Number.isNaN(x);
const grouped = (digits) => new Intl.NumberFormat("en", {maximumFractionDigits: digits, minimumFractionDigits: digits});
const whole = grouped(0), tenths = grouped(1), hundredths = grouped(2);

export const count = (x) => (has(x) ? whole.format(x) : missing);
export const decimal = (x) => (has(x) ? hundredths.format(x) : missing);
export const percent = (x) => (has(x) ? `${whole.format(100 * x)} %` : missing);
/** Shares below a tenth say more with a decimal. */
export const share = (x) => (has(x) ? `${(Math.abs(x) < 0.0995 && x !== 0 ? tenths : whole).format(100 * x)} %` : missing);
export const range = (low, high, say = percent) => (has(low) && has(high) ? `${say(low)} to ${say(high)}` : missing);
export const points = (x) => (has(x) ? `${x > 0 ? "+" : ""}${tenths.format(100 * x)} points` : missing);
export const between = (low, high) => (has(low) && has(high) ? `${low > 0 ? "+" : ""}${whole.format(100 * low)} to ${high > 0 ? "+" : ""}${whole.format(100 * high)} points` : missing);
/** Hours as people say them. */
export const hours = (x) => (!has(x) ? missing : x < 1 ? `${whole.format(60 * x)} min` : x < 48 ? `${tenths.format(x)} h` : `${tenths.format(x / 24)} days`);
export const day = (x) => (x ? new Date(x).toLocaleDateString("en-GB", {day: "numeric", month: "short", year: "numeric", timeZone: "UTC"}) : missing);
export const moment = (x) =>
  x ? new Date(x).toLocaleString("en-GB", {day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC"}) : missing;
export const words = (x) => (has(x) ? String(x).replaceAll("_", " ") : missing);

export const sum = (rows, of) => rows.reduce((total, row) => total + (row[of] ?? 0), 0);
/** Rows by the values of some columns, with sums of others. */
export function total(rows, by, of) {
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify(by.map((c) => row[c]));
    const group = groups.get(key) ?? Object.fromEntries([...by.map((c) => [c, row[c]]), ...of.map((c) => [c, 0])]);
    for (const c of of) group[c] += row[c] ?? 0;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What there is to choose from: the program with the most first. */
export function programs(rows, by = "handoffs") {
  return total(rows, ["program"], [by]).sort((a, b) => b[by] - a[by]).map((p) => p.program);
}

/** A choice, for view(), of which first is chosen to begin with; nothing to see while there is only one. */
export function choose(label, options, say = words, first = options[0]) {
  const select = html`<select aria-label=${label}>${options.map((o) => html`<option value=${o} selected=${o === first}>${say(o)}</option>`)}</select>`;
  const form = html`<form class="choice" onsubmit=${(e) => e.preventDefault()}><label>${label}</label> ${select}</form>`;
  const told = () => (form.value = select.value);
  select.onchange = () => {
    told();
    form.dispatchEvent(new Event("input", {bubbles: true}));
  };
  told();
  if (options.length < 2) form.hidden = true;
  return form;
}

export const empty = (text) => html`<div class="empty">${text}</div>`;

/** A number that stands by itself. name is by which the test finds it. */
export function big(name, label, value, note) {
  return html`<div class="card"><h2>${label}</h2><span class="big" data-name=${name}>${value}</span><span class="remark">${note ?? ""}</span></div>`;
}

/** A card with a title, what it shows in a line, and the chart or table; or why there is none. */
export function card(title, what, content) {
  return html`<div class="card"><h2>${title}</h2><h3>${what}</h3>${content}</div>`;
}

/** Columns: [name, title, how to say it, "number" or "wrap"]. The words of a column may depend on the row. */
export function table(rows, columns, none = "Nothing yet.") {
  if (!rows.length) return empty(none);
  return html`<div class="scroll" tabindex="0"><table><thead><tr>${columns.map(([, title, , kind]) => html`<th class=${kind ?? ""}>${title}</th>`)}</tr></thead>
  <tbody>${rows.map((row) => html`<tr>${columns.map(([name, , say, kind]) => html`<td class=${kind ?? ""}>${say ? say(row[name], row) : words(row[name])}</td>`)}</tr>`)}</tbody></table></div>`;
}

export const color = {good: "var(--good)", bad: "var(--bad)", wait: "var(--wait)", main: "var(--main)", other: "var(--other)", quiet: "var(--quiet)"};

/** What the colours of a chart mean. */
export function legend(entries) {
  return html`<div class="legend">${entries.map(([label, of]) => html`<span><i style=${`background: ${of}`}></i>${label}</span>`)}</div>`;
}

/** A chart in the font and colours of the page, as wide as its card; or what to say of no rows. */
export function chart(rows, options, none = "Nothing yet.") {
  if (!rows.length) return empty(none);
  const width = Math.max(240, options.width - 34); // less what the card has around it; before there is a layout there is no width
  return Plot.plot({style: {background: "none", fontSize: "12px", fontFamily: "inherit", overflow: "visible"}, ...options, width});
}

/** Ticks for weeks that don't run into each other on a phone. */
export const weeks = (width) => ({type: "utc", label: null, ticks: width < 500 ? 4 : 8, tickFormat: (d) => d.toLocaleDateString("en-GB", {day: "numeric", month: "short", timeZone: "UTC"})});
export {Plot, html};
