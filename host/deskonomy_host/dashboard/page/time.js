// The hands on time: pause, step, speed, and where a history is played from.

import { byId, clock as shown, make, say } from "./format.js";
import { request } from "./said.js";
import { store } from "./store.js";
import { mayWrite } from "./stream.js";

const SPEEDS = [1, 5, 20, 50, 100, 500, 2000];
const HOLD_MS = 1500; // a slider stays where a hand has put it, until the server had time to answer

let hands = null;
let held = 0;

function build() {
  const pause = make("button", { type: "button", onclick: () => {
    const stop = pause.textContent === "Pause";
    request("pause", { paused: stop }, stop ? "Time stands still here; boards keep their own." : "Time goes on.");
  } });
  const step = make("button", { type: "button", onclick: () => request("step", { ticks: 1 }, "One tick has passed.") }, "Step");
  const speed = make("select", { "aria-label": "Speed", onchange: () =>
    request("speed", { ticks_per_s: speed.value === "max" ? null : Number(speed.value) }, "The speed has changed.") });
  const seek = make("input", { type: "range", step: "any", "aria-label": "Time in the history", oninput: () => {
    held = Date.now() + HOLD_MS;
    at.value = shown(Number(seek.value));
  }, onchange: () => request("seek", { time_s: Number(seek.value) }, `From ${shown(Number(seek.value))} on.`) });
  const at = make("output");
  byId("time-controls").append(seek, at, pause, step, speed);
  return { pause, step, speed, seek, at };
}

export function time() {
  const entry = store.cities.find(({ can }) => can.includes("pause"));
  byId("time-controls").hidden = !entry || !mayWrite();
  if (byId("time-controls").hidden) return;
  hands ??= build();
  const { clock, can } = entry;
  say(hands.pause, clock.paused ? "Resume" : "Pause");
  hands.step.hidden = !can.includes("step");
  hands.step.disabled = !clock.paused;
  hands.seek.hidden = hands.at.hidden = !can.includes("seek");
  if (can.includes("seek") && Date.now() > held) {
    hands.seek.min = clock.from;
    hands.seek.max = clock.to;
    hands.seek.value = store.time;
    hands.at.value = shown(store.time);
  }
  speeds(clock.ticks_per_s === null ? "max" : String(clock.ticks_per_s ?? ""));
}

/** The choice of speeds, with the one that is now among them. */
function speeds(now) {
  const { speed } = hands;
  if (document.activeElement === speed) return;
  const choices = [...new Set([...SPEEDS.map(String), now])].filter((one) => one && one !== "max").sort((one, other) => one - other);
  choices.push("max");
  if (speed.dataset.key !== choices.join()) {
    speed.dataset.key = choices.join();
    speed.replaceChildren(...choices.map((one) => make("option", { value: one }, one === "max" ? "as fast as it goes" : `${one} ticks/s`)));
  }
  speed.value = now;
}
