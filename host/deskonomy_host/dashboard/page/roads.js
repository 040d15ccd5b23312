// Roads: the form that opens a road, and the table of all roads.

import { byId, formatWhole, make } from "./format.js";
import { request } from "./request.js";
import { store } from "./store.js";
import { mayChange } from "./stream.js";
import { fillTable, makeCityCell, number } from "./tables.js";

const SEED_ADDRESS = "localhost:55555"; // the address that the tutorial's Alt key connects to
const ALL = ""; // the value of the choice of all cities; no city has an empty name
const MANY_ROADS = 40; // with more of them the table begins with the first city's roads
const HEADS = ["City", "To", "State", "Kind", ...["Sent", "Received", "Waiting", "Lost"].map(number), "Change"];

let from;
let to;
let names;
let builtFor = "";
let choicesBuiltFor = "";

/** Add the form that opens a road. The Alt key, pressed alone, is its button. */
export function addRoadForm() {
  const form = byId("road-form");
  from = make("select", { "aria-label": "Road from" });
  names = make("datalist", { id: "road-ends" });
  to = make("input", { "aria-label": "Road to", list: "road-ends", placeholder: "city or HOST:PORT", value: SEED_ADDRESS, spellcheck: "false", autocomplete: "off" });
  const button = make("button", { type: "submit" }, "Open road ", make("kbd", {}, "Alt"));
  form.append(make("span", {}, "From"), from, make("span", {}, "to"), to, names, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    openRoad(from.value, to.value.trim());
  });
  let isAlone = false;
  window.addEventListener("keydown", (event) => (isAlone = event.key === "Alt" && !event.repeat));
  for (const other of ["pointerdown", "blur"]) window.addEventListener(other, () => (isAlone = false));
  window.addEventListener("keyup", (event) => {
    if (event.key !== "Alt" || !isAlone || form.hidden) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/** Open a road to a city on this page, by its name, or to any city, by its HOST:PORT. */
function openRoad(city, other) {
  if (other.includes(":")) return request("connect", { city, address: other }, `${city} dials ${other}.`);
  const address = store.cities.find(({ status }) => status.city === other)?.status.address ?? null;
  return request("open", { city, other, address }, `The road from ${city} to ${other} is being opened.`);
}

function closeRoad(city, other) {
  request("close", { city, other }, `The road from ${city} to ${other} is being closed.`);
}

function forgetRoad(city, other) {
  request("forget", { city, other }, `${city} has forgotten the road to ${other}; its merchants return.`);
}

function drawForm() {
  const able = store.cities.filter(({ can }) => can.includes("connect")).map(({ status }) => status.city);
  const all = store.cities.map(({ status }) => status.city);
  byId("road-form").hidden = !able.length || !mayChange();
  const key = JSON.stringify([able, all]);
  if (key === builtFor) return;
  builtFor = key;
  const before = from.value;
  from.replaceChildren(...able.map((name) => make("option", {}, name)));
  if (able.includes(before)) from.value = before;
  names.replaceChildren(...[SEED_ADDRESS, ...all].map((name) => make("option", { value: name })));
}

/** Draw the form and the table. */
export function drawRoads() {
  drawForm();
  drawChoices();
  const chosen = byId("roads-of").value;
  const rows = store.cities
    .filter(({ status }) => chosen === ALL || chosen === status.city)
    .flatMap(({ status, can }) => Object.entries(status.roads).map(([other, road]) => makeRow(status.city, other, road, can)));
  fillTable(byId("roads-table"), HEADS, rows);
}

/** Draw the choice of the city whose roads are listed. */
function drawChoices() {
  const select = byId("roads-of");
  const cities = store.cities.map(({ status }) => status.city);
  const key = JSON.stringify(cities);
  if (key === choicesBuiltFor) return;
  const isFirst = !choicesBuiltFor;
  choicesBuiltFor = key;
  const before = select.value;
  const options = cities.map((name) => make("option", { value: name }, name));
  select.replaceChildren(make("option", { value: ALL }, "all cities"), ...options);
  const count = store.cities.reduce((sum, { status }) => sum + Object.keys(status.roads).length, 0);
  if (cities.includes(before)) select.value = before;
  else if (isFirst && count > MANY_ROADS) select.value = cities[0];
}

function makeRow(city, other, road, can) {
  const counts = [road.sent, road.received, road.waiting, road.lost].map(formatWhole);
  return [makeCityCell(city), other, makeState(road), road.kind, ...counts, makeButtons(city, other, road, can)];
}

function makeState(road) {
  const isUp = road.state === "up";
  return make("span", { class: isUp ? "good" : "bad", "data-key": road.state }, isUp ? "● open" : "○ closed");
}

/** Make the buttons of a road: a road over the network that is closed can be forgotten, too. */
function makeButtons(city, other, road, can) {
  const isUp = road.state === "up";
  const canForget = !isUp && road.kind !== "in-process";
  const actions = [
    ...(isUp && can.includes("close") ? [["Close", closeRoad]] : []),
    ...(!isUp && can.includes("open") ? [["Open", openRoad]] : []),
    ...(canForget && can.includes("forget") ? [["Forget", forgetRoad]] : []),
  ];
  if (!mayChange() || !actions.length) return make("span", { "data-key": "none" }, "–");
  const key = `${actions.map(([verb]) => verb).join()} ${city} ${other}`;
  const buttons = actions.map(([verb, act]) => make("button", {
    type: "button", class: "small", "aria-label": `${verb} the road from ${city} to ${other}`, onclick: () => act(city, other),
  }, verb));
  return make("span", { class: "buttons", "data-key": key }, ...buttons);
}
