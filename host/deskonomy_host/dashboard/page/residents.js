// The locals: leisure against wealth, and how wealth is spread.

import { Axes } from "./axes.js";
import { colourOfCity } from "./colours.js";
import { byId, make, setText, swatch } from "./format.js";
import { chosenEntry, store } from "./store.js";

const DESCRIBED_MAX = 6; // cities in the description of a picture

let leisure = null;
let wealth = null;
let builtFor = "";

/** Draw the pictures of the cities whose statistics are known; boards do not report them. */
export function drawResidents() {
  const statuses = store.cities.map(({ status }) => status).filter((status) => status.detail?.wealth?.length);
  for (const id of ["leisure", "wealth"]) byId(id).hidden = !statuses.length;
  if (!statuses.length) return;
  drawLeisure(statuses);
  drawWealth(statuses);
  drawGini(statuses);
}

function drawLeisure(statuses) {
  leisure ??= new Axes(byId("leisure-picture"), { label: "Leisure against wealth", x: "wealth in coins", y: "consecutive acts of rest" });
  const description = statuses.slice(0, DESCRIBED_MAX).map((status) => status.city).join(", ");
  leisure.draw(statuses.map((status) => ({ colour: colourOfCity(status.city), points: status.detail.leisure })),
    { minima: [1000, 4], dots: true, description });
}

function drawWealth(statuses) {
  wealth ??= new Axes(byId("wealth-picture"), { label: "How wealth is spread", x: "share of the locals, in %", y: "wealth in coins" });
  const chosen = chosenEntry().status.city;
  const shapes = statuses.map(({ city, detail }) => {
    const steps = detail.wealth.length - 1;
    const points = detail.wealth.map((coins, at) => [(at / steps) * 100, coins]);
    return { colour: colourOfCity(city), points, strong: city === chosen };
  });
  const description = statuses.slice(0, DESCRIBED_MAX).map((status) => `${status.city} ${formatGini(status)}`).join(", ");
  wealth.draw(shapes, { minima: [100, 1000], dots: false, description });
}

function drawGini(statuses) {
  const list = byId("gini");
  const key = JSON.stringify(statuses.map((status) => status.city));
  if (key !== builtFor) {
    builtFor = key;
    list.replaceChildren(...statuses.map(({ city }) => make("li", {}, swatch(colourOfCity(city)), `${city} `, make("span"))));
  }
  statuses.forEach((status, at) => setText(list.children[at].querySelector("span:last-child"), formatGini(status)));
}

function formatGini({ detail }) {
  return `Gini ${detail.gini.toFixed(2)}`;
}
