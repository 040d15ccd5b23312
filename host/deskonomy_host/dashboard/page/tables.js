// Tables: merchants by good and city, the machines that cities run on; and how any table is filled.

import { ofCity, ofGood } from "./colours.js";
import { amount, byId, clock, make, say, span, swatch, whole } from "./format.js";
import { goods, store } from "./store.js";

const LATE_S = 5;

/** Fill a table: heads, and rows of cells that are text, numbers or elements; rows stay the same elements. */
export function fill(table, heads, rows) {
  if (!table.tHead) table.append(make("thead"), make("tbody"));
  const now = heads.join("\n");
  if (table.dataset.heads !== now) {
    table.dataset.heads = now;
    const cells = heads.map((head) => make("th", { scope: "col", class: head.endsWith("#") ? "number" : null }, head.replace("#", "")));
    table.tHead.replaceChildren(make("tr", {}, ...cells));
  }
  const body = table.tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, at) => {
    const row = body.rows[at] ?? body.insertRow();
    while (row.cells.length < cells.length) row.append(make(row.cells.length ? "td" : "th", row.cells.length ? {} : { scope: "row" }));
    cells.forEach((cell, column) => {
      const place = row.cells[column];
      place.classList.toggle("number", heads[column].endsWith("#"));
      if (cell instanceof Node) {
        if (place.dataset.key !== cell.dataset.key || !cell.dataset.key) place.replaceChildren(cell);
        place.dataset.key = cell.dataset.key ?? "";
      } else {
        delete place.dataset.key;
        say(place, String(cell));
      }
    });
  });
}

export function named(city) {
  const cell = make("span", { class: "named", "data-key": city }, swatch(ofCity(city)), city);
  return cell;
}

export function tables() {
  merchants();
  health();
}

function merchants() {
  const rows = store.cities.map(({ status }) => {
    const counts = goods().map((good) => status.merchants[good] ?? 0);
    const total = counts.reduce((sum, one) => sum + one, 0);
    return [named(status.city), bar(counts), ...counts.map(whole), whole(total)];
  });
  fill(byId("merchants-table"), ["City", "Share", ...goods().map((good) => `${good}#`), "all#"], rows);
}

function bar(counts) {
  const parts = counts.map((count, at) => {
    const part = make("span");
    part.style.background = ofGood(goods()[at]);
    part.style.flexGrow = count;
    return part;
  });
  return make("span", { class: "share", "aria-hidden": "true", "data-key": counts.join() }, ...parts);
}

function health() {
  const rows = store.cities.map(({ status, origin, clock: pace }) => {
    const { heap } = status;
    const seen = store.seen[status.city] ?? store.time;
    const late = store.time - seen > LATE_S && !pace?.paused;
    const when = make("span", { class: late ? "bad" : "", "data-key": `${clock(seen)}${late}` }, clock(seen));
    return [
      named(status.city), heap ? "board" : "host", status.address ?? origin ?? "–", amount(status.ticks_per_s ?? null, 1),
      heap ? meter(heap) : "–",
      status.rssi === null || status.rssi === undefined ? "–" : `${status.rssi} dBm`,
      status.uptime_s === undefined ? "–" : span(status.uptime_s), status.reset ?? "–", when,
    ];
  });
  fill(byId("health-table"), ["City", "Kind", "Address", "Ticks/s#", "Heap used", "Signal", "Up for", "Last reset", "Last seen"], rows);
}

function meter({ used, free }) {
  const text = `${whole(used / 1024)} of ${whole((used + free) / 1024)} KiB`;
  const gauge = make("meter", { min: 0, max: used + free, value: used, high: (used + free) * 0.9, "aria-label": "Heap used" });
  return make("span", { class: "heap", "data-key": text }, gauge, text);
}
