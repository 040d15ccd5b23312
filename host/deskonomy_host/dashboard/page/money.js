// Money: where it is, and whether its sum stays the same.

import { Chart } from "./charts.js";
import { theme } from "./colours.js";
import { byId, formatAmount, formatTime, setText } from "./format.js";
import { store } from "./store.js";
import { fillTable, makeCityCell, number } from "./tables.js";

// Machines report at different moments, so a merchant between two of them can be missing from a sample, or be in two places.
// The most frequent sum among so many samples is the sum of those without such a merchant.
const SAMPLES = 30;
const TOLERANCE = 0.0005; // coins; half a mill

let chart = null;
let check = null; // {cities, time, samples, total}: begun anew when other cities are on the page

/** Draw the chart, the table and the check of the sum. */
export function drawMoney() {
  const rows = store.cities.map(({ status }) => {
    const { locals, merchants, ledger, total, waiting_to_enter: waiting = 0 } = status.money;
    const underWay = status.detail?.under_way ?? 0;
    return { city: status.city, parts: [locals, merchants, ledger, underWay + waiting, total + underWay] };
  });
  if (!rows.length) return;
  const names = rows.map(({ city }) => city);
  const sums = [0, 1, 2, 3, 4].map((at) => rows.reduce((sum, { parts }) => sum + parts[at], 0));
  const totals = totalsOverTime(names);
  chart ??= new Chart(byId("money-chart"), { title: "all money", label: "All money in all cities", unit: "coins", height: 120, rangeMin: 2000, digits: 0 });
  setText(byId("conserved"), checkTotal(JSON.stringify(names), totals));
  chart.draw([{ name: "all money", colour: theme().ink, values: totals, strong: true }], `${formatAmount(sums[4])} coins`);
  const cells = (parts) => parts.map((part) => formatAmount(part));
  fillTable(byId("money-table"), ["City", ...["Locals", "Merchants", "Ledger", "Under way", "Total"].map(number)],
    [...rows.map(({ city, parts }) => [makeCityCell(city), ...cells(parts)]), ["All", ...cells(sums)]]);
}

/** Return the money of these cities at the time of each sample; null where that of a city is not known. */
function totalsOverTime(cities) {
  return store.times.map((_, at) => {
    let total = 0;
    for (const city of cities) {
      const money = store.columns[city]?.money?.[at];
      if (money === null || money === undefined) return null;
      total += money;
    }
    return total;
  });
}

/** Return a sentence: whether the sum of all money is what it was when these cities came onto the page. */
function checkTotal(cities, totals) {
  if (check?.cities !== cities) check = { cities, time: store.time, samples: 0 };
  check.samples += 1;
  const sum = mostFrequent(totals.slice(-Math.min(SAMPLES, check.samples)));
  if (sum === null || check.samples < SAMPLES / 3) return "waiting for more samples";
  check.total ??= sum;
  const change = sum - check.total;
  const since = formatTime(check.time);
  if (Math.abs(change) < TOLERANCE) return `${formatAmount(sum)} coins, unchanged since ${since}`;
  const sign = change < 0 ? "−" : "+";
  return `${formatAmount(sum)} coins, ${sign}${formatAmount(Math.abs(change))} since ${since}: merchants came from other cities, left for them, or were lost`;
}

/** Return the most frequent number, the latest of several; null if there is none. */
function mostFrequent(numbers) {
  const counts = new Map();
  let best = null;
  for (const value of numbers) {
    if (value === null) continue;
    const text = value.toFixed(3);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    if (best === null || counts.get(text) >= counts.get(best)) best = text;
  }
  return best === null ? null : Number(best);
}
