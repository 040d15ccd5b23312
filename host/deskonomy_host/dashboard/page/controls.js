// What the user can change in the chosen city: yields, the reading of a simulated sensor, merchants from the school.
// Not here: roads (roads.js), time (time.js), how a change is requested (request.js).

import { colourOfCity } from "./colours.js";
import { byId, formatAmount, make, swatch } from "./format.js";
import { request } from "./request.js";
import { chosenEntry, goods } from "./store.js";
import { mayChange } from "./stream.js";

const YIELD_MAX = 4; // of the slider; the command line accepts up to 100
const SEND_MS = 120; // between two requests of a slider that is being moved
const HOLD_MS = 2500; // a slider keeps the user's value for so long, until the city has had time to answer

let builtFor = "";
let sliders = [];

/** Draw the controls of the chosen city. */
export function drawControls() {
  const entry = chosenEntry();
  if (!entry) return;
  const { status, can } = entry;
  const sensors = Object.keys(status.sensors ?? {});
  const key = JSON.stringify([status.city, can, sensors, Object.keys(status.yield), mayChange()]);
  if (key !== builtFor) {
    builtFor = key;
    build(status, can, sensors);
  }
  for (const slider of sliders) slider.follow(status);
}

function build(status, can, sensors) {
  const { city } = status;
  const place = byId("controls");
  sliders = [];
  place.replaceChildren(make("p", { class: "subject" }, swatch(colourOfCity(city)), make("b", {}, city)));
  if (!can.includes("influence") || !mayChange()) {
    place.append(make("p", { class: "hint" }, explainReadOnly(can)));
    return;
  }
  if (can.includes("sense")) for (const name of sensors) sliders.push(makeSensorSlider(city, name));
  for (const good of Object.keys(status.yield)) sliders.push(makeYieldSlider(city, good));
  place.append(...sliders.map((slider) => slider.element));
  if (can.includes("school")) place.append(makeSchoolForm(city));
}

function explainReadOnly(can) {
  if (can.includes("seek")) return "This is a history: it can be played, not changed.";
  if (can.length) return "To change things, open the address that the server printed; this page is read-only.";
  return "This city runs on another machine: it can be watched here, not changed.";
}

/**
 * Make a slider that requests a change while it is moved, and follows the city while it is not.
 * @param {Object} options
 * @param {string} options.label
 * @param {number} options.max the end of the slider; it begins at 0
 * @param {number} options.step
 * @param {(status: Object) => (number|undefined)} options.read returns the value in a status
 * @param {(value: number) => string} options.format
 * @param {(value: number) => void} options.change requests a value
 * @param {Element[]} [options.buttons] further elements behind the slider
 * @returns {{element: Element, follow: (status: Object) => void}}
 */
function makeSlider({ label, max, step, read, format, change, buttons = [] }) {
  let heldUntil = 0;
  let timer = null;
  const output = make("output");
  const input = make("input", { type: "range", min: 0, max, step, "aria-label": label, oninput: () => {
    heldUntil = performance.now() + HOLD_MS;
    output.value = format(Number(input.value));
    timer ??= setTimeout(() => {
      timer = null;
      change(Number(input.value));
    }, SEND_MS);
  } });
  const follow = (status) => {
    if (performance.now() < heldUntil || timer !== null) return;
    const value = read(status);
    if (value === undefined) return;
    input.value = value;
    input.setAttribute("aria-valuetext", format(value));
    output.value = format(value);
  };
  return { element: make("div", { class: "slider" }, make("span", {}, label), input, output, ...buttons), follow };
}

function makeSensorSlider(city, name) {
  return makeSlider({
    label: `Sensor ${name}`, max: 1, step: 0.01,
    read: (status) => status.sensors[name]?.level,
    format: (level) => `${Math.round(level * 100)} %`,
    change: (value) => request("sense", { name, value }, `${city}'s ${name} sensor now reads ${Math.round(value * 100)} %.`),
  });
}

function makeYieldSlider(city, good) {
  const release = make("button", {
    type: "button", class: "small", "aria-label": `Let the sensors set the yield of ${good}`,
    title: "let the sensors set it; without a sensor it is 1",
    onclick: () => request("influence", { city, good, yield_mills: null }, `The sensors set ${city}'s yield of ${good} again.`),
  }, "auto");
  return makeSlider({
    label: `Yield of ${good}`, max: YIELD_MAX, step: 0.05,
    read: (status) => status.yield[good],
    format: (value) => `×${formatAmount(value)}`,
    change: (value) => request("influence", { city, good, yield_mills: Math.round(value * 1000) },
      `${city}'s yield of ${good} is now ${formatAmount(value)}.`),
    buttons: [release],
  });
}

function makeSchoolForm(city) {
  const count = make("input", { type: "number", min: 1, max: 50, value: 10, "aria-label": "Number of merchants" });
  const options = goods().map((name) => make("option", { selected: name === "chair" }, name));
  const good = make("select", { "aria-label": "Good that they trade" }, ...options);
  const send = (event) => {
    event.preventDefault();
    request("school", { city, count: Number(count.value), good: good.value },
      `${count.value} trained ${good.value} merchants are on their way to ${city}.`);
  };
  return make("form", { class: "bar school", "aria-label": "Merchant School", onsubmit: send },
    make("span", {}, "Merchant School"), count, good, make("button", { type: "submit" }, "Send merchants"));
}
