// Who has what: leisure against wealth, and how wealth is spread.

import { Axes } from "./axes.js";
import { ofCity } from "./colours.js";
import { byId, make, say, swatch } from "./format.js";
import { chosen, store } from "./store.js";

const SPOKEN = 6;

let leisure = null;
let wealth = null;
let key = "";

export function people() {
  const told = store.cities.filter(({ status }) => status.detail?.wealth?.length);
  for (const id of ["leisure", "wealth"]) byId(id).hidden = !told.length;
  if (!told.length) return;
  leisure ??= new Axes(byId("leisure-picture"), { label: "Leisure against wealth", x: "wealth in coins", y: "acts of rest in a row" });
  wealth ??= new Axes(byId("wealth-picture"), { label: "How wealth is spread", x: "share of the people, in %", y: "wealth in coins" });
  const focus = chosen().status.city;
  leisure.draw(told.map(({ status }) => ({ colour: ofCity(status.city), points: status.detail.leisure })),
    { to: [1000, 4], dots: true, spoken: told.slice(0, SPOKEN).map(({ status }) => status.city).join(", ") });
  wealth.draw(told.map(({ status }) => {
    const steps = status.detail.wealth.length - 1;
    const points = status.detail.wealth.map((coins, at) => [(at / steps) * 100, coins]);
    return { colour: ofCity(status.city), points, strong: status.city === focus };
  }), { to: [100, 1000], dots: false, spoken: told.slice(0, SPOKEN).map(({ status }) => `${status.city} Gini ${status.detail.gini.toFixed(2)}`).join(", ") });
  const list = byId("gini");
  const now = JSON.stringify(told.map(({ status }) => status.city));
  if (now !== key) {
    key = now;
    list.replaceChildren(...told.map(({ status }) => make("li", {}, swatch(ofCity(status.city)), `${status.city} `, make("span"))));
  }
  told.forEach(({ status }, at) => say(list.children[at].querySelector("span:last-child"), `Gini ${status.detail.gini.toFixed(2)}`));
}
