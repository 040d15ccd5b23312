// Cause and effect in the chosen city, on one time axis: a sensor's level, the yield that follows, the units made, the price.

import { colourOfCity, colourOfGood } from "./colours.js";
import { Chart } from "./charts.js";
import { byId, make, setText } from "./format.js";
import { chosenEntry, column, store } from "./store.js";

const SMOOTHING = 4; // samples on either side that a rate is the mean of, because residents act at random moments
const SENSOR_COLOUR = "#c9941a";

let charts = null;
let builtFor = "";

/** Draw the charts of the chosen city. */
export function drawCause() {
  const entry = chosenEntry();
  if (!entry) return;
  const { status } = entry;
  const { city } = status;
  const sensors = Object.keys(status.sensors ?? {});
  buildIfChanged(status, sensors);
  const good = byId("cause-good").value;
  setText(byId("cause-hint"), `in ${city}`);
  sensors.forEach((name, at) => {
    const values = column(city, `sensor.${name}`).map((level) => (level === null ? null : level * 100));
    const description = status.sensors[name].error ?? `${Math.round(values.at(-1) ?? 0)} %`;
    charts[at].draw([{ name: `${name} sensor`, colour: SENSOR_COLOUR, values, strong: true }], description);
  });
  const [yields, production, price] = charts.slice(sensors.length);
  const line = (name, values) => [{ name, colour: colourOfGood(good), values, strong: true }];
  yields.draw(line(`yield of ${good}`, column(city, `yield.${good}`)), `${status.yield[good]}`);
  production.draw(line(`${good} made`, smooth(column(city, `made.${good}`))));
  price.draw([{
    name: `price of ${good}`, colour: colourOfCity(city), strong: true,
    values: column(city, `price.${good}.mean`),
    low: column(city, `price.${good}.min`),
    high: column(city, `price.${good}.max`),
  }], `${status.price[good].mean} coins`);
}

/** Build the charts anew if the chosen city has other goods or sensors than before. */
function buildIfChanged(status, sensors) {
  const goods = Object.keys(status.price);
  const key = JSON.stringify([status.city, goods, sensors]);
  if (key === builtFor) return;
  builtFor = key;
  const influenced = goods.find((good) => status.yield[good] !== 1) ?? goods[0];
  const options = goods.map((good) => make("option", { value: good, selected: good === influenced }, good));
  byId("cause-good").replaceChildren(...options);
  charts?.forEach((chart) => chart.remove());
  charts = build(sensors);
}

function build(sensors) {
  const place = byId("cause-charts");
  const add = (options) => new Chart(place, { height: 92, hasTimeAxis: false, ...options });
  return [
    ...sensors.map((name) => add({ title: `${name} sensor`, label: `Sensor ${name}`, unit: "% of its range", digits: 0, floor: 0, rangeMin: 10 })),
    add({ title: "yield", label: "Yield", unit: "units an act", floor: 0, rangeMin: 0.4 }),
    add({ title: "production", label: "Production", unit: "units a second", digits: 1, floor: 0, rangeMin: 0.4 }),
    add({ title: "price", label: "Price in this city", unit: "coins", rangeMin: 0.4, hasTimeAxis: true, height: 140 }),
  ];
}

function smooth(values) {
  return values.map((_, at) => {
    const near = values.slice(Math.max(0, at - SMOOTHING), at + SMOOTHING + 1).filter((value) => value !== null);
    return near.length ? near.reduce((sum, value) => sum + value, 0) / near.length : null;
  });
}

/** Draw the charts at once when another good is chosen, not with the next sample only. */
export function connectCauseControls() {
  byId("cause-good").addEventListener("change", () => store.times.length && drawCause());
}
