// Prices: a chart for each good, with all cities on one scale.

import { colourOfCity } from "./colours.js";
import { Chart } from "./charts.js";
import { byId, formatAmount } from "./format.js";
import { chosenEntry, column, goods, store } from "./store.js";

const BANDS_MAX = 8; // cities whose bands can be told apart; with more of them only the chosen city has a band
const DESCRIBED_MAX = 6; // cities in the description of a chart

const charts = new Map(); // {good: chart}

/** Draw the chart of each good. */
export function drawPrices() {
  for (const good of goods()) {
    if (!charts.has(good)) {
      charts.set(good, new Chart(byId("price-charts"), { title: good, label: `Price of ${good}`, unit: "coins", rangeMin: 0.5 }));
    }
  }
  for (const [good, chart] of charts) {
    if (goods().includes(good)) {
      chart.draw(makeLines(good), describe(good));
    } else {
      chart.remove();
      charts.delete(good);
    }
  }
}

function makeLines(good) {
  const chosen = chosenEntry()?.status.city;
  const names = Object.keys(store.columns).filter((city) => store.columns[city][`price.${good}.mean`]);
  return names.map((city) => {
    const hasBand = names.length <= BANDS_MAX || city === chosen;
    return {
      name: city,
      colour: colourOfCity(city),
      strong: city === chosen,
      values: column(city, `price.${good}.mean`),
      low: hasBand ? column(city, `price.${good}.min`) : null,
      high: hasBand ? column(city, `price.${good}.max`) : null,
    };
  });
}

function describe(good) {
  const statuses = store.cities.slice(0, DESCRIBED_MAX).map(({ status }) => status).filter((status) => status.price[good]);
  return statuses.map(({ city, price }) => {
    const { min, mean, max } = price[good];
    return `${city} ${formatAmount(mean)} coins, from ${formatAmount(min)} to ${formatAmount(max)}`;
  }).join("; ");
}
