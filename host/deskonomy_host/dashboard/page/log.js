// The event log, the latest first.

import { ofCity } from "./colours.js";
import { byId, clock, make, swatch } from "./format.js";
import { store } from "./store.js";

let shown = null;

export function log() {
  const last = store.events.at(-1);
  const key = last ? `${store.events.length} ${last.time} ${last.text}` : "";
  if (key === shown) return;
  shown = key;
  const rows = store.events.toReversed().map((event) => {
    const patch = event.city ? swatch(ofCity(event.city)) : swatch("transparent");
    return make("li", { class: event.kind }, make("time", {}, clock(event.time)), patch, make("span", {}, event.text));
  });
  byId("events").replaceChildren(...(rows.length ? rows : [make("li", {}, "Nothing has happened yet.")]));
}
