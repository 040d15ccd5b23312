// Wires the page: what comes in goes to the store, then to every view, once a frame at most.

import { choose } from "./colours.js";
import { windowButtons } from "./charts.js";
import { cause, causeControls } from "./cause.js";
import { cities } from "./cities.js";
import { controls } from "./controls.js";
import { byId, clock, say } from "./format.js";
import { log } from "./log.js";
import { map, travel } from "./map.js";
import { money } from "./money.js";
import { people } from "./people.js";
import { prices } from "./prices.js";
import { roadForm, roads } from "./roads.js";
import { store, takeHello, takeNow, takePast } from "./store.js";
import { listen } from "./stream.js";
import { tables } from "./tables.js";
import { time } from "./time.js";

const VIEWS = [time, cities, prices, map, cause, controls, roads, log, tables, people, money];
const CROWD = 12; // cities; with more of them the page is drawn every other time

let drawing = false;
let turn = 0;

function draw() {
  drawing = false;
  const known = Object.keys(store.columns).length > 0;
  byId("world").hidden = !known;
  byId("empty").hidden = store.cities.length > 0;
  say(byId("empty-title"), known ? "No city answers" : "No city yet");
  for (const view of VIEWS) view();
}

export function redraw() {
  if (drawing || document.hidden) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function hear(message) {
  if (message.kind === "hello") {
    choose(message.colours);
    takeHello(message);
  } else if (message.kind === "past") {
    takePast(message);
  } else {
    takeNow(message);
    travel();
    turn += 1;
    if (store.cities.length <= CROWD || turn % 2) redraw();
    const count = store.cities.length === 1 ? "1 city" : `${store.cities.length} cities`;
    const recorded = store.cities.some(({ can }) => can.includes("seek"));
    say(byId("connection"), `${recorded ? "History" : "Live"} · ${count}`);
  }
}

function lost(since) {
  const box = byId("lost");
  box.hidden = false;
  say(box, `The server has not answered since ${clock(since / 1000)}. This page keeps what it has and goes on asking.`);
  say(byId("connection"), "No connection");
  document.body.classList.add("offline");
}

function found() {
  if (byId("lost").hidden) return;
  byId("lost").hidden = true;
  document.body.classList.remove("offline");
}

windowButtons();
causeControls();
roadForm();
listen(hear, lost, found);
document.addEventListener("visibilitychange", redraw);
window.addEventListener("chosen", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
