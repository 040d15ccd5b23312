// The event log, the latest event first.

import { colourOfCity } from "./colours.js";
import { byId, formatTime, make, swatch } from "./format.js";
import { store } from "./store.js";

let drawnFor = null;

/** Draw the log if there are other events than before. */
export function drawLog() {
  const last = store.events.at(-1);
  const key = last ? `${store.events.length} ${last.time} ${last.text}` : "";
  if (key === drawnFor) return;
  drawnFor = key;
  const rows = store.events.toReversed().map((event) => {
    const patch = event.city ? swatch(colourOfCity(event.city)) : swatch("transparent");
    return make("li", { class: event.kind }, make("time", {}, formatTime(event.time)), patch, make("span", {}, event.text));
  });
  byId("events").replaceChildren(...(rows.length ? rows : [make("li", {}, "No events yet.")]));
}
