// The page as a whole: messages go to the store, then the store to every view, once a frame at most.

import { setCityColours } from "./colours.js";
import { addRangeButtons } from "./charts.js";
import { connectCauseControls, drawCause } from "./cause.js";
import { drawCities } from "./cities.js";
import { drawControls } from "./controls.js";
import { byId, formatTime, setText } from "./format.js";
import { drawLog } from "./log.js";
import { drawMap, moveMerchants } from "./map.js";
import { drawMoney } from "./money.js";
import { drawPrices } from "./prices.js";
import { drawResidents } from "./residents.js";
import { addRoadForm, drawRoads } from "./roads.js";
import { store, takeHello, takeNow, takePast } from "./store.js";
import { connect } from "./stream.js";
import { drawTables } from "./tables.js";
import { drawTimeControls } from "./time.js";

const VIEWS = [
  drawTimeControls, drawCities, drawPrices, drawMap, drawCause, drawControls, drawRoads, drawLog, drawTables, drawResidents, drawMoney,
];
const MANY_CITIES = 12; // with more of them the page is drawn with every second message only

let isScheduled = false;
let messages = 0;

function draw() {
  isScheduled = false;
  const isKnown = Object.keys(store.columns).length > 0;
  byId("world").hidden = !isKnown;
  byId("empty").hidden = store.cities.length > 0;
  setText(byId("empty-title"), isKnown ? "No city answers" : "No city yet");
  for (const drawView of VIEWS) drawView();
}

function redraw() {
  if (isScheduled || document.hidden) return;
  isScheduled = true;
  requestAnimationFrame(draw);
}

function handleMessage(message) {
  if (message.kind === "hello") {
    setCityColours(message.colours);
    takeHello(message);
  } else if (message.kind === "past") {
    takePast(message);
  } else {
    takeNow(message);
    moveMerchants();
    messages += 1;
    if (store.cities.length <= MANY_CITIES || messages % 2) redraw();
    const count = store.cities.length === 1 ? "1 city" : `${store.cities.length} cities`;
    const isHistory = store.cities.some(({ can }) => can.includes("seek"));
    setText(byId("connection"), `${isHistory ? "History" : "Live"} · ${count}`);
  }
}

/** Report that the server has not answered since this Date. */
function handleLoss(since) {
  const box = byId("lost");
  box.hidden = false;
  setText(box, `The server has not answered since ${formatTime(since / 1000)}. The page keeps its data and tries to connect again.`);
  setText(byId("connection"), "No connection");
  document.body.classList.add("offline");
}

function handleConnection() {
  if (byId("lost").hidden) return;
  byId("lost").hidden = true;
  document.body.classList.remove("offline");
}

addRangeButtons();
connectCauseControls();
addRoadForm();
connect(handleMessage, handleLoss, handleConnection);
document.addEventListener("visibilitychange", redraw);
window.addEventListener("chosen", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
