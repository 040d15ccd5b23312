// The row of cities at the top: the legend of every chart, and the choice of the city that the details are about.

import { colourOfCity, colourOfGood } from "./colours.js";
import { byId, formatWhole, make, setText, swatch } from "./format.js";
import { chosenEntry, goods, store } from "./store.js";

let builtFor = "";

/** Choose the city that the details are about. */
export function chooseCity(city) {
  store.chosenCity = city;
  window.dispatchEvent(new Event("chosen"));
}

/** Draw the row of cities and the legend of goods. */
export function drawCities() {
  const key = JSON.stringify([store.cities.map(({ status, origin }) => [status.city, origin]), goods()]);
  if (key !== builtFor) {
    builtFor = key;
    byId("cities").replaceChildren(...store.cities.map(makeChip));
    byId("goods").replaceChildren(...goods().map((good) => make("li", {}, swatch(colourOfGood(good), "dot"), good)));
  }
  const chosen = chosenEntry()?.status.city;
  [...byId("cities").children].forEach((button, at) => {
    const { status } = store.cities[at];
    button.setAttribute("aria-pressed", String(status.city === chosen));
    setText(button.querySelector("small"), `${formatWhole(status.ticks_per_s ?? 0)} ticks/s`);
  });
}

function makeChip({ status, origin, can }) {
  const where = can.includes("seek") ? ", recorded" : origin ? ", watched" : "";
  const machine = `${status.heap ? "board" : "host"}${where}`;
  return make("button", { type: "button", class: "chip", title: origin || null, onclick: () => chooseCity(status.city) },
    swatch(colourOfCity(status.city)), make("b", {}, status.city), make("span", { class: "machine" }, machine), make("small"));
}
