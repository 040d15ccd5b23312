// The map: cities as rings of their merchants, roads by their state, and merchants as they travel, coloured by good.

import { colourOfCity, colourOfGood, theme } from "./colours.js";
import { chooseCity } from "./cities.js";
import { byId, makeSvg } from "./format.js";
import { chosenEntry, store } from "./store.js";

const WIDTH = 600;
const HEIGHT = 520;
const TRAVEL_MS = 1400;
const STAGGER_MS = 120; // between two dots on one road
const ASIDE_PX = 5; // a dot keeps so far to the right of the line, clear of the dots that come towards it
const DOTS_MAX = 80; // with more of them the eye sees a stream anyway
const DOTS_OF_ROAD_MAX = 6; // between two messages
const CROWDED = 60; // with more roads than this, the lines are finer

let picture = null;
let layers = {};
let places = new Map(); // {city: [x, y]}
let laidOutFor = "";
let departuresBefore = new Map(); // {[city, other city, good] as JSON: merchants that have left}

function cityRadius() {
  const count = store.cities.length;
  return count <= 6 ? 38 : count <= 14 ? 24 : count <= 30 ? 13 : 8;
}

/** Place the cities on an ellipse. */
function placeCities(names) {
  const count = names.length;
  places = new Map(names.map((name, at) => {
    if (count === 1) return [name, [WIDTH / 2, HEIGHT / 2]];
    const turn = ((at + (count === 2 ? 0.5 : 0)) / count - 0.25) * 2 * Math.PI;
    const lift = count === 3 ? 40 : 0; // a triangle stands on its base
    return [name, [WIDTH / 2 + 225 * Math.cos(turn), HEIGHT / 2 - 10 + lift + 195 * Math.sin(turn)]];
  }));
}

/** Draw cities and roads. */
export function drawMap() {
  if (!store.cities.length) return;
  const names = store.cities.map(({ status }) => status.city);
  const key = JSON.stringify(names);
  if (key !== laidOutFor) {
    laidOutFor = key;
    placeCities(names);
    layers = { roads: makeSvg("g"), travellers: makeSvg("g", { "aria-hidden": "true" }), cities: makeSvg("g") };
    picture = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "Map of cities and roads" }, ...Object.values(layers));
    byId("map-picture").replaceChildren(picture);
  }
  drawRoads();
  drawCities();
}

/** Return the roads of all cities, each once: {ends, name, up, kind, waiting}. */
function mergeRoads() {
  const roads = new Map();
  for (const { status } of store.cities) {
    for (const [other, road] of Object.entries(status.roads)) {
      const ends = [status.city, other].sort();
      const name = ends.join(" – ");
      const merged = roads.get(name) ?? { ends, name, up: true, kind: road.kind, waiting: 0 };
      merged.up = merged.up && road.state === "up";
      merged.waiting += road.waiting;
      roads.set(name, merged);
    }
  }
  return [...roads.values()];
}

function drawRoads() {
  const roads = mergeRoads();
  layers.roads.setAttribute("class", roads.length > CROWDED ? "crowded" : "");
  const lines = [];
  for (const { ends, name, up, kind, waiting } of roads) {
    const [from, to] = ends.map((city) => places.get(city));
    if (!from || !to) continue; // the city at one end is not on this page
    const line = makeSvg("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: up ? `road ${kind}` : "road down" });
    line.append(makeSvg("title", {}, `${name}: ${up ? "open" : "closed"}, ${kind}${waiting ? `, ${waiting} waiting` : ""}`));
    lines.push(line);
  }
  layers.roads.replaceChildren(...lines);
}

function drawCities() {
  const chosen = chosenEntry()?.status.city;
  const focused = document.activeElement?.getAttribute?.("data-city");
  const radius = cityRadius();
  layers.cities.replaceChildren(...store.cities.map(({ status }) => makeCity(status, radius, status.city === chosen)));
  if (focused) layers.cities.querySelector(`[data-city="${CSS.escape(focused)}"]`)?.focus();
}

function makeCity({ city, merchants }, radius, isChosen) {
  const [x, y] = places.get(city);
  const count = Object.values(merchants).reduce((sum, number) => sum + number, 0);
  const choose = (event) => {
    event.preventDefault();
    chooseCity(city);
  };
  const node = makeSvg("g", {
    class: "city", role: "button", tabindex: "0", transform: `translate(${x} ${y})`, "data-city": city,
    "aria-pressed": String(isChosen), "aria-label": `${city}, ${count} merchants`,
    onclick: choose,
    onkeydown: (event) => (event.key === "Enter" || event.key === " ") && choose(event),
  });
  node.append(makeSvg("circle", { r: radius + 7, class: "halo" }));
  node.append(...makeRing(merchants, count, radius));
  node.append(makeSvg("circle", { r: Math.max(3, radius - 8), fill: colourOfCity(city) }));
  if (radius >= 20) node.append(makeSvg("text", { class: "count", dy: "0.35em" }, count));
  if (radius >= 12) node.append(makeSvg("text", { class: "name", y: radius + 25 }, city));
  else node.append(makeSvg("title", {}, `${city}, ${count} merchants`));
  return node;
}

/** Make the arcs around a city: its merchants by good. */
function makeRing(merchants, count, radius) {
  const round = 2 * Math.PI * radius;
  const arcs = [makeSvg("circle", { r: radius, class: "ring", stroke: theme().line })];
  let from = 0;
  for (const [good, number] of Object.entries(merchants)) {
    if (!number) continue;
    const length = (number / count) * round;
    arcs.push(makeSvg("circle", {
      r: radius, class: "ring", stroke: colourOfGood(good), transform: "rotate(-90)",
      "stroke-dasharray": `${Math.max(1, length - 1.5)} ${round}`, "stroke-dashoffset": -from,
    }));
    from += length;
  }
  return arcs;
}

/** Move a dot for each merchant that has left a city since the message before. */
export function moveMerchants() {
  const departures = new Map();
  const isStill = document.hidden || !picture || matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const { status } of store.cities) {
    for (const other of Object.keys(status.roads)) {
      for (const [good, count] of Object.entries(departuresOf(status, other))) {
        const key = JSON.stringify([status.city, other, good]);
        departures.set(key, count);
        const fresh = Math.min(DOTS_OF_ROAD_MAX, count - (departuresBefore.get(key) ?? count));
        for (let at = 0; at < fresh && !isStill; at++) moveDot(status.city, other, good, at);
      }
    }
  }
  departuresBefore = departures;
}

/** Return {good: merchants that have ever left a city for another}; the good is "" where it is not known. */
function departuresOf(status, other) {
  const there = store.cities.find((entry) => entry.status.city === other)?.status;
  return status.detail?.travelled?.[other] ?? there?.detail?.arrived?.[status.city] ?? { "": status.roads[other].sent };
}

function moveDot(city, other, good, position) {
  const from = places.get(city);
  const to = places.get(other);
  if (!from || !to || layers.travellers.childElementCount >= DOTS_MAX) return;
  const dot = makeSvg("circle", { r: cityRadius() > 13 ? 6 : 3, fill: good ? colourOfGood(good) : theme().muted, class: "traveller" });
  layers.travellers.append(dot);
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy) || 1;
  const aside = [(-dy / length) * ASIDE_PX, (dx / length) * ASIDE_PX];
  const at = (point) => `translate(${point[0] + aside[0]}px, ${point[1] + aside[1]}px)`;
  const animation = dot.animate([{ transform: at(from) }, { transform: at(to) }],
    { duration: TRAVEL_MS, delay: position * STAGGER_MS, easing: "ease-in-out", fill: "both" });
  animation.onfinish = animation.oncancel = () => dot.remove();
}
