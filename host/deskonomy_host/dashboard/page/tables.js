// Tables: merchants by good and city, and the machines that cities run on; and how any table is filled.

import { colourOfCity, colourOfGood } from "./colours.js";
import { byId, formatAmount, formatDuration, formatTime, formatWhole, make, setText, swatch } from "./format.js";
import { goods, store } from "./store.js";

const LATE_S = 5; // a city whose tick has not changed for so long may have a problem
const FULL = 0.9; // of a board's heap: then the meter changes its colour
const MACHINE_HEADS = ["City", "Kind", "Address", number("Ticks/s"), "Heap used", "Signal", "Up for", "Last reset", "Last seen"];

/** Return the head of a column of numbers, which is aligned to the right. */
export function number(text) {
  return { text, isNumber: true };
}

/**
 * Fill a table. Its elements stay the same where nothing has changed, so that the focus stays too.
 * @param {HTMLTableElement} table
 * @param {(string|{text: string, isNumber: boolean})[]} heads
 * @param {(string|Element)[][]} rows an element is replaced if its data-key is another one
 */
export function fillTable(table, heads, rows) {
  if (!table.tHead) table.append(make("thead"), make("tbody"));
  const columns = heads.map((head) => (typeof head === "string" ? { text: head, isNumber: false } : head));
  fillHead(table, columns);
  const body = table.tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, at) => fillRow(body.rows[at] ?? body.insertRow(), columns, cells));
}

function fillHead(table, columns) {
  const key = JSON.stringify(columns);
  if (table.dataset.heads === key) return;
  table.dataset.heads = key;
  const cells = columns.map(({ text, isNumber }) => make("th", { scope: "col", class: isNumber ? "number" : null }, text));
  table.tHead.replaceChildren(make("tr", {}, ...cells));
}

function fillRow(row, columns, cells) {
  while (row.cells.length < cells.length) row.append(row.cells.length ? make("td") : make("th", { scope: "row" }));
  cells.forEach((cell, at) => {
    const place = row.cells[at];
    place.classList.toggle("number", columns[at].isNumber);
    if (cell instanceof Node) {
      if (place.dataset.key !== cell.dataset.key || !cell.dataset.key) place.replaceChildren(cell);
      place.dataset.key = cell.dataset.key ?? "";
    } else {
      delete place.dataset.key;
      setText(place, String(cell));
    }
  });
}

/** Make a cell with the name of a city and its colour. */
export function makeCityCell(city) {
  return make("span", { class: "named", "data-key": city }, swatch(colourOfCity(city)), city);
}

/** Draw the tables of merchants and machines. */
export function drawTables() {
  drawMerchants();
  drawMachines();
}

function drawMerchants() {
  const rows = store.cities.map(({ status }) => {
    const counts = goods().map((good) => status.merchants[good] ?? 0);
    const total = counts.reduce((sum, count) => sum + count, 0);
    return [makeCityCell(status.city), makeShares(counts), ...counts.map(formatWhole), formatWhole(total)];
  });
  fillTable(byId("merchants-table"), ["City", "Share", ...goods().map(number), number("all")], rows);
}

function makeShares(counts) {
  const parts = counts.map((count, at) => {
    const part = make("span");
    part.style.background = colourOfGood(goods()[at]);
    part.style.flexGrow = count;
    return part;
  });
  return make("span", { class: "share", "aria-hidden": "true", "data-key": counts.join() }, ...parts);
}

function drawMachines() {
  const rows = store.cities.map(({ status, origin, clock }) => {
    const { heap, rssi, uptime_s: uptimeS } = status;
    return [
      makeCityCell(status.city), heap ? "board" : "host", status.address ?? origin ?? "–", formatAmount(status.ticks_per_s ?? null, 1),
      heap ? makeHeapMeter(heap) : "–",
      rssi === null || rssi === undefined ? "–" : `${rssi} dBm`,
      uptimeS === undefined ? "–" : formatDuration(uptimeS), status.reset ?? "–", makeLastChange(status.city, clock),
    ];
  });
  fillTable(byId("health-table"), MACHINE_HEADS, rows);
}

function makeLastChange(city, clock) {
  const changed = store.changed[city] ?? store.time;
  const isLate = store.time - changed > LATE_S && !clock?.paused;
  const text = formatTime(changed);
  return make("span", { class: isLate ? "bad" : "", "data-key": `${text}${isLate}` }, text);
}

function makeHeapMeter({ used, free }) {
  const total = used + free;
  const text = `${formatWhole(used / 1024)} of ${formatWhole(total / 1024)} KiB`;
  const gauge = make("meter", { min: 0, max: total, value: used, high: total * FULL, "aria-label": "Heap used" });
  return make("span", { class: "heap", "data-key": text }, gauge, text);
}
