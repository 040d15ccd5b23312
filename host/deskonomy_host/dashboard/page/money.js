// Money: where it is, and whether all of it is still there.

import { Chart } from "./charts.js";
import { theme } from "./colours.js";
import { amount, byId, clock, say } from "./format.js";
import { store } from "./store.js";
import { fill, named } from "./tables.js";

// Machines tell of themselves at different moments, so whoever is on the road between two of them may be missing, or be in
// two places, for a sample. The sum that comes up most often among so many is the one in which nobody was.
const SAMPLES = 30;

let chart = null;
let since = null; // {cities, time, total}: the check begins anew with other cities

export function money() {
  const rows = store.cities.map(({ status }) => {
    const { locals, merchants, ledger } = status.money;
    const way = status.detail?.under_way ?? 0;
    return { city: status.city, parts: [locals, merchants, ledger, way, status.money.total + way] };
  });
  if (!rows.length) return;
  const sum = [0, 1, 2, 3, 4].map((at) => rows.reduce((all, row) => all + row.parts[at], 0));
  chart ??= new Chart(byId("money-chart"), { title: "all money", label: "All money in all cities", unit: "coins", height: 120, least: 2000, digits: 0 });
  const total = store.times.map((time, at) => {
    let all = 0;
    for (const { city } of rows) {
      const value = store.columns[city]?.money?.[at];
      if (value === null || value === undefined) return null; // not all that are here now were known then
      all += value;
    }
    return all;
  });
  say(byId("conserved"), check(JSON.stringify(rows.map((row) => row.city)), total));
  chart.draw([{ name: "all money", colour: theme().ink, values: total, strong: true }], `${amount(sum[4])} coins`);
  const cells = (parts) => parts.map((part) => amount(part));
  fill(byId("money-table"), ["City", "Locals#", "Merchants#", "Ledger#", "Under way#", "Total#"],
    [...rows.map((row) => [named(row.city), ...cells(row.parts)]), ["All", ...cells(sum)]]);
}

/** What to say of the sum of all money over time: whether it is what it was. */
function check(cities, total) {
  if (since?.cities !== cities) since = { cities, time: store.time, samples: 0 };
  since.samples += 1;
  const sum = usual(total.slice(-Math.min(SAMPLES, since.samples)));
  if (sum === null || since.samples < SAMPLES / 3) return "being counted";
  since.total ??= sum;
  const change = sum - since.total;
  if (Math.abs(change) < 0.0005) return `${amount(sum)} coins, not a mill more or less than at ${clock(since.time)}`;
  return `${amount(sum)} coins, ${change < 0 ? "−" : "+"}${amount(Math.abs(change))} since ${clock(since.time)}: come from elsewhere, gone there, or lost`;
}

/** The number that comes up most often, the latest of those; null if there is none. */
function usual(numbers) {
  const counts = new Map();
  let most = null;
  for (const number of numbers) {
    if (number === null) continue;
    const text = number.toFixed(3);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    if (most === null || counts.get(text) >= counts.get(most)) most = text;
  }
  return most === null ? null : Number(most);
}
