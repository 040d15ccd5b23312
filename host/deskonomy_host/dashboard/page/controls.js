// What people can change in the city in focus: yields, what a simulated sensor reads, merchants from the school.
// Not here: roads (roads.js), time (time.js), how a change is asked for (said.js).

import { ofCity } from "./colours.js";
import { amount, byId, make, swatch } from "./format.js";
import { request } from "./said.js";
import { chosen, goods } from "./store.js";
import { mayWrite } from "./stream.js";

const YIELD_MAX = 4; // of the slider; the command line goes up to 100
const SEND_MS = 120; // between two requests of a slider that is being moved
const HOLD_MS = 2500; // a slider stays where a hand has put it, until the city had time to answer

let key = "";
let rows = [];

export function controls() {
  const entry = chosen();
  if (!entry) return;
  const { status, can } = entry;
  const sensors = Object.keys(status.sensors ?? {});
  const now = JSON.stringify([status.city, can, sensors, Object.keys(status.yield), mayWrite()]);
  if (now !== key) {
    key = now;
    build(status, can, sensors);
  }
  for (const row of rows) row.follow(entry.status);
}

function build(status, can, sensors) {
  const { city } = status;
  rows = [];
  const place = byId("controls");
  place.replaceChildren(make("p", { class: "whose" }, swatch(ofCity(city)), make("b", {}, city)));
  if (!can.includes("influence") || !mayWrite()) {
    const why = can.includes("seek") ? "This is a history: it can be played, not changed."
      : can.length ? "Open the address that the server printed to change things; this page only looks."
        : "This city is watched from afar: it can be looked at, not changed.";
    place.append(make("p", { class: "hint" }, why));
    return;
  }
  if (can.includes("sense")) for (const name of sensors) rows.push(sensor(city, name));
  for (const good of can.includes("influence") ? Object.keys(status.yield) : []) rows.push(yields(city, good));
  place.append(...rows.map((row) => row.element));
  if (can.includes("school")) place.append(school(city));
}

/** A slider that asks while it is moved, and follows the city while it is not. */
function slider({ label, max, step, read, shown, change, more = [] }) {
  let held = 0;
  let waiting = null;
  const input = make("input", { type: "range", min: 0, max, step, "aria-label": label, oninput: () => {
    held = Date.now() + HOLD_MS;
    output.value = shown(Number(input.value));
    waiting ??= setTimeout(() => {
      waiting = null;
      change(Number(input.value));
    }, SEND_MS);
  } });
  const output = make("output");
  const follow = (status) => {
    if (Date.now() < held || waiting !== null) return;
    const value = read(status);
    if (value === undefined) return;
    input.value = value;
    input.setAttribute("aria-valuetext", shown(value));
    output.value = shown(value);
  };
  return { element: make("div", { class: "slider" }, make("span", {}, label), input, output, ...more), follow };
}

function sensor(city, name) {
  return slider({
    label: `Sensor ${name}`, max: 1, step: 0.01,
    read: (status) => status.sensors[name]?.level,
    shown: (level) => `${Math.round(level * 100)} %`,
    change: (value) => request("sense", { name, value }, `${city}'s ${name} sensor reads ${Math.round(value * 100)} %.`),
  });
}

function yields(city, good) {
  const auto = make("button", { type: "button", class: "small", "aria-label": `Yield of ${good} as the sensors say`, title: "as the sensors say; without one it is 1",
    onclick: () => request("influence", { city, good, yield_mills: null }, `${city}'s yield of ${good} is up to the sensors again.`) }, "auto");
  return slider({
    label: `Yield of ${good}`, max: YIELD_MAX, step: 0.05,
    read: (status) => status.yield[good],
    shown: (value) => `×${amount(value)}`,
    change: (value) => request("influence", { city, good, yield_mills: Math.round(value * 1000) },
      `One act of making ${good} in ${city} gives ${amount(value)}.`),
    more: [auto],
  });
}

function school(city) {
  const count = make("input", { type: "number", min: 1, max: 50, value: 10, "aria-label": "How many merchants" });
  const good = make("select", { "aria-label": "What they trade" }, ...goods().map((one) => make("option", { selected: one === "chair" }, one)));
  const send = (event) => {
    event.preventDefault();
    request("school", { city, count: Number(count.value), good: good.value },
      `${count.value} trained ${good.value} merchants are on their way to ${city}.`);
  };
  return make("form", { class: "bar school", "aria-label": "Merchant School", onsubmit: send },
    make("span", {}, "Merchant School"), count, good, make("button", { type: "submit" }, "Send merchants"));
}
