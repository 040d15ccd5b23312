// Cause and effect: what a sensor says, the yield that follows, what is made, what it costs; on one time axis.

import { ofCity, ofGood } from "./colours.js";
import { Chart } from "./charts.js";
import { byId, make, say } from "./format.js";
import { chosen, column, store } from "./store.js";

const SMOOTH = 4; // samples on either side that a rate is the mean of: people act at random moments

let charts = null;
let key = "";

export function cause() {
  const entry = chosen();
  if (!entry) return;
  const { status } = entry;
  const goods = Object.keys(status.price);
  const sensors = Object.keys(status.sensors ?? {});
  const select = byId("cause-good");
  const now = JSON.stringify([status.city, goods, sensors]);
  if (now !== key) {
    key = now;
    const moved = goods.find((good) => status.yield[good] !== 1) ?? goods[0];
    select.replaceChildren(...goods.map((good) => make("option", { value: good, selected: good === moved }, good)));
    charts?.forEach((chart) => chart.remove());
    charts = build(sensors);
  }
  const good = select.value;
  const colour = ofCity(status.city);
  say(byId("cause-hint"), `in ${status.city}`);
  sensors.forEach((name, at) => {
    const values = column(status.city, `sensor.${name}`).map((level) => (level === null ? null : level * 100));
    const spoken = status.sensors[name].error ?? `${Math.round(values.at(-1) ?? 0)} %`;
    charts[at].draw([{ name: `${name} sensor`, colour: "#c9941a", values, strong: true }], spoken);
  });
  const [gives, made, price] = charts.slice(sensors.length);
  const line = (name, column_, colour_) => [{ name, colour: colour_, values: column_, strong: true }];
  gives.draw(line(`yield of ${good}`, column(status.city, `yield.${good}`), ofGood(good)), `${status.yield[good]}`);
  made.draw(line(`${good} made`, smooth(column(status.city, `made.${good}`)), ofGood(good)));
  price.draw([{
    name: `price of ${good}`, colour, strong: true,
    values: column(status.city, `price.${good}.mean`),
    low: column(status.city, `price.${good}.min`),
    high: column(status.city, `price.${good}.max`),
  }], `${status.price[good].mean} coins`);
}

function build(sensors) {
  const place = byId("cause-charts");
  const pane = (words) => new Chart(place, { height: 92, foot: false, ...words });
  return [
    ...sensors.map((name) => pane({ title: `${name} sensor`, label: `Sensor ${name}`, unit: "% of its range", digits: 0, floor: 0, least: 10 })),
    pane({ title: "yield", label: "Yield", unit: "units an act", floor: 0, least: 0.4 }),
    pane({ title: "production", label: "Production", unit: "units a second", digits: 1, floor: 0, least: 0.4 }),
    pane({ title: "price", label: "Price in this city", unit: "coins", least: 0.4, foot: true, height: 140 }),
  ];
}

function smooth(values) {
  return values.map((value, at) => {
    const near = values.slice(Math.max(0, at - SMOOTH), at + SMOOTH + 1).filter((one) => one !== null);
    return near.length ? near.reduce((sum, one) => sum + one, 0) / near.length : null;
  });
}

/** Another good is chosen: see it at once, not with the next sample. */
export function causeControls() {
  byId("cause-good").addEventListener("change", () => store.times.length && cause());
}
