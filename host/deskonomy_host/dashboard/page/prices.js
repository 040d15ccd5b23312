// The price of each good: a chart a good, all cities on one scale.

import { ofCity } from "./colours.js";
import { Chart } from "./charts.js";
import { amount, byId } from "./format.js";
import { chosen, column, goods, store } from "./store.js";

const BANDS = 8; // cities whose bands can be told apart; beyond that only the chosen one has its band
const SPOKEN = 6;

const charts = new Map();

export function prices() {
  const place = byId("price-charts");
  for (const good of goods()) {
    if (!charts.has(good)) {
      charts.set(good, new Chart(place, { title: good, label: `Price of ${good}`, unit: "coins", least: 0.5 }));
    }
  }
  for (const [good, chart] of charts) {
    if (!goods().includes(good)) {
      chart.remove();
      charts.delete(good);
      continue;
    }
    const focus = chosen()?.status.city;
    const names = Object.keys(store.columns).filter((city) => store.columns[city][`price.${good}.mean`]);
    const lines = names.map((city) => {
      const banded = names.length <= BANDS || city === focus;
      return {
        name: city,
        colour: ofCity(city),
        strong: city === focus,
        values: column(city, `price.${good}.mean`),
        low: banded ? column(city, `price.${good}.min`) : null,
        high: banded ? column(city, `price.${good}.max`) : null,
      };
    });
    const spoken = store.cities.slice(0, SPOKEN).filter(({ status }) => status.price[good]).map(({ status }) => {
      const price = status.price[good];
      return `${status.city} ${amount(price.mean)} coins, from ${amount(price.min)} to ${amount(price.max)}`;
    });
    chart.draw(lines, spoken.join("; "));
  }
}
