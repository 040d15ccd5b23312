// The controls of time: pause, step, speed, and the position in a history.

import { byId, formatTime, make, setText } from "./format.js";
import { request } from "./request.js";
import { store } from "./store.js";
import { mayChange } from "./stream.js";

const SPEEDS = [1, 5, 20, 50, 100, 500, 2000]; // ticks a second
const UNLIMITED = "max"; // the value of the choice for as fast as the machine allows
const HOLD_MS = 1500; // a slider keeps the user's value for so long, until the server has had time to answer

let controls = null;
let isPaused = false;
let heldUntil = 0;
let speedsBuiltFor = "";

/** Draw the controls, if a city on the page can be paused. */
export function drawTimeControls() {
  const entry = store.cities.find(({ can }) => can.includes("pause"));
  byId("time-controls").hidden = !entry || !mayChange();
  if (byId("time-controls").hidden) return;
  controls ??= build();
  const { clock, can } = entry;
  isPaused = Boolean(clock.paused);
  setText(controls.pause, isPaused ? "Resume" : "Pause");
  controls.step.hidden = !can.includes("step");
  controls.step.disabled = !isPaused;
  controls.seek.hidden = controls.position.hidden = !can.includes("seek");
  if (can.includes("seek") && performance.now() > heldUntil) {
    controls.seek.min = clock.from;
    controls.seek.max = clock.to;
    controls.seek.value = store.time;
    controls.position.value = formatTime(store.time);
  }
  drawSpeed(clock.ticks_per_s);
}

function build() {
  const pause = make("button", { type: "button", onclick: () => {
    const notice = isPaused ? "Time goes on." : "Time is paused in the cities of this program; it goes on in those of other machines.";
    request("pause", { paused: !isPaused }, notice);
  } });
  const step = make("button", { type: "button", onclick: () => request("step", { ticks: 1 }, "One tick has passed.") }, "Step");
  const speed = make("select", { "aria-label": "Speed", onchange: () => {
    const ticksPerS = speed.value === UNLIMITED ? null : Number(speed.value);
    request("speed", { ticks_per_s: ticksPerS }, "The speed has changed.");
  } });
  const position = make("output");
  const seek = make("input", { type: "range", step: "any", "aria-label": "Time in the history", oninput: () => {
    heldUntil = performance.now() + HOLD_MS;
    position.value = formatTime(Number(seek.value));
  }, onchange: () => request("seek", { time_s: Number(seek.value) }, `The history goes on from ${formatTime(Number(seek.value))}.`) });
  byId("time-controls").append(seek, position, pause, step, speed);
  return { pause, step, speed, seek, position };
}

/** Draw the choice of speeds, which includes the current one: a number, null for unlimited, undefined for unknown. */
function drawSpeed(ticksPerS) {
  const { speed } = controls;
  if (document.activeElement === speed) return;
  const known = typeof ticksPerS === "number" ? [...SPEEDS, ticksPerS] : SPEEDS;
  const choices = [...new Set(known)].sort((a, b) => a - b);
  if (choices.join() !== speedsBuiltFor) {
    speedsBuiltFor = choices.join();
    const options = choices.map((value) => make("option", { value }, `${value} ticks/s`));
    speed.replaceChildren(...options, make("option", { value: UNLIMITED }, "as fast as possible"));
  }
  speed.value = ticksPerS === null ? UNLIMITED : String(ticksPerS ?? "");
}
