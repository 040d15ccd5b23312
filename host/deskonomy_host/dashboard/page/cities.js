// The row of cities at the top: the legend of every chart, and what chooses the city in focus.

import { ofCity, ofGood } from "./colours.js";
import { byId, make, say, swatch, whole } from "./format.js";
import { chosen, goods, store } from "./store.js";

let key = "";

export function choose(city) {
  store.chosen = city;
  window.dispatchEvent(new Event("chosen"));
}

export function cities() {
  const now = JSON.stringify([store.cities.map(({ status, origin }) => [status.city, origin]), goods()]);
  if (now !== key) {
    key = now;
    byId("cities").replaceChildren(...store.cities.map(chip));
    byId("goods").replaceChildren(...goods().map((good) => make("li", {}, swatch(ofGood(good), "dot"), good)));
  }
  const focus = chosen()?.status.city;
  [...byId("cities").children].forEach((button, at) => {
    const { status } = store.cities[at];
    button.setAttribute("aria-pressed", String(status.city === focus));
    say(button.querySelector("small"), `${whole(status.ticks_per_s ?? 0)} ticks/s`);
  });
}

function chip({ status, origin, can }) {
  const where = can.includes("seek") ? ", recorded" : origin ? ", watched" : "";
  const kind = `${status.heap ? "board" : "host"}${where}`;
  return make("button", { type: "button", class: "chip", title: origin || null, onclick: () => choose(status.city) },
    swatch(ofCity(status.city)), make("b", {}, status.city), make("span", { class: "kind" }, kind), make("small"));
}
