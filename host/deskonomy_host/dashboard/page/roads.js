// Roads: the form that opens one, and the table of all.

import { byId, make, whole } from "./format.js";
import { request } from "./said.js";
import { store } from "./store.js";
import { mayWrite } from "./stream.js";
import { fill, named } from "./tables.js";

const SEED_ADDRESS = "localhost:55555"; // what the tutorial's Alt key connects to
const ALL = "all cities";
const MANY = 40; // roads; with more of them the table begins with one city's

let from;
let to;
let names;
let offered = "";

/** The form that opens a road; the Alt key, pressed alone, is its button. */
export function roadForm() {
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
  let alone = false;
  window.addEventListener("keydown", (event) => (alone = event.key === "Alt" && !event.repeat));
  for (const other of ["pointerdown", "blur"]) window.addEventListener(other, () => (alone = false));
  window.addEventListener("keyup", (event) => {
    if (event.key !== "Alt" || !alone || form.hidden) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

function openRoad(city, other) {
  if (other.includes(":")) return request("connect", { city, address: other }, `${city} dials ${other}.`);
  const address = store.cities.find(({ status }) => status.city === other)?.status.address ?? null;
  return request("open", { city, other, address }, `The road from ${city} to ${other} is being opened.`);
}

function closeRoad(city, other) {
  request("close", { city, other }, `The road from ${city} to ${other} is being closed.`);
}

function roadWords() {
  const able = store.cities.filter(({ can }) => can.includes("connect")).map(({ status }) => status.city);
  const all = store.cities.map(({ status }) => status.city);
  byId("road-form").hidden = !able.length || !mayWrite();
  const now = JSON.stringify([able, all]);
  if (now === offered) return;
  offered = now;
  const before = from.value;
  from.replaceChildren(...able.map((name) => make("option", {}, name)));
  if (able.includes(before)) from.value = before;
  names.replaceChildren(...[SEED_ADDRESS, ...all].map((name) => make("option", { value: name })));
}

export function roads() {
  roadWords();
  const select = byId("roads-of");
  const names = store.cities.map(({ status }) => status.city);
  const count = store.cities.reduce((sum, { status }) => sum + Object.keys(status.roads).length, 0);
  const choices = JSON.stringify(names);
  if (select.dataset.key !== choices) {
    const first = !select.dataset.key;
    const before = select.value;
    select.dataset.key = choices;
    select.replaceChildren(...[ALL, ...names].map((name) => make("option", {}, name)));
    if (names.includes(before)) select.value = before;
    else if (first && count > MANY) select.value = names[0];
  }
  const rows = [];
  for (const { status, can } of store.cities) {
    if (select.value !== ALL && select.value !== status.city) continue;
    for (const [other, road] of Object.entries(status.roads)) {
      rows.push([named(status.city), other, state(road), road.kind, whole(road.sent), whole(road.received), whole(road.waiting),
        whole(road.lost), button(status.city, other, road, can)]);
    }
  }
  fill(byId("roads-table"), ["City", "To", "State", "Kind", "Sent#", "Received#", "Waiting#", "Lost#", "Change"], rows);
}

function state(road) {
  const up = road.state === "up";
  return make("span", { class: up ? "good" : "bad", "data-key": road.state }, up ? "● open" : "○ closed");
}

function button(city, other, road, can) {
  const up = road.state === "up";
  const able = mayWrite() && can.includes(up ? "close" : "open");
  if (!able) return make("span", { "data-key": "none" }, "–");
  const name = `${up ? "Close" : "Open"} the road from ${city} to ${other}`;
  return make("button", { type: "button", class: "small", "aria-label": name, "data-key": name,
    onclick: () => (up ? closeRoad : openRoad)(city, other) }, up ? "Close" : "Open");
}
