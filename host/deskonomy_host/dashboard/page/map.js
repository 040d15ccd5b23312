// The map: cities as rings of their merchants, roads by state, merchants as they travel, coloured by good.

import { ofCity, ofGood, theme } from "./colours.js";
import { choose } from "./cities.js";
import { byId, draw } from "./format.js";
import { chosen, store } from "./store.js";

const WIDTH = 600;
const HEIGHT = 520;
const TRAVEL_MS = 1400;
const TRAVELLERS = 80; // dots at most; more than that is a stream anyway
const AT_ONCE = 6; // dots that one road sends out between two readings

const CROWDED = 60; // roads; more of them are drawn finer

let picture = null;
let layers = {};
let places = new Map();
let key = "";
let before = new Map();

function size() {
  const count = store.cities.length;
  return count <= 6 ? 38 : count <= 14 ? 24 : count <= 30 ? 13 : 8;
}

function lay() {
  const names = store.cities.map(({ status }) => status.city);
  places = new Map(names.map((name, at) => {
    if (names.length === 1) return [name, [WIDTH / 2, HEIGHT / 2]];
    const turn = ((at + (names.length === 2 ? 0.5 : 0)) / names.length - 0.25) * 2 * Math.PI;
    const lift = names.length === 3 ? 40 : 0; // a triangle stands on its base
    return [name, [WIDTH / 2 + 225 * Math.cos(turn), HEIGHT / 2 - 10 + lift + 195 * Math.sin(turn)]];
  }));
}

export function map() {
  if (!store.cities.length) return;
  const now = JSON.stringify(store.cities.map(({ status }) => status.city));
  if (now !== key) {
    key = now;
    lay();
    layers = { roads: draw("g"), travellers: draw("g", { "aria-hidden": "true" }), cities: draw("g") };
    picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "Map of cities and roads" }, ...Object.values(layers));
    byId("map-picture").replaceChildren(picture);
  }
  roads();
  nodes();
}

function roads() {
  const lines = new Map();
  for (const { status } of store.cities) {
    for (const [other, road] of Object.entries(status.roads)) {
      const ends = [status.city, other].sort();
      const name = ends.join(" – ");
      const known = lines.get(name) ?? { ends, name, up: true, kind: road.kind, waiting: 0 };
      known.up = known.up && road.state === "up";
      known.waiting += road.waiting;
      lines.set(name, known);
    }
  }
  const drawn = [];
  layers.roads.setAttribute("class", lines.size > CROWDED ? "crowded" : "");
  for (const { ends, name, up, kind, waiting } of lines.values()) {
    const [one, other] = ends.map((city) => places.get(city));
    if (!one || !other) continue; // it leads to where nobody here can see
    const more = waiting ? `, ${waiting} waiting` : "";
    const line = draw("line", { x1: one[0], y1: one[1], x2: other[0], y2: other[1], class: up ? `road ${kind}` : "road down" });
    line.append(draw("title", {}, `${name}: ${up ? "open" : "closed"}, ${kind}${more}`));
    drawn.push(line);
  }
  layers.roads.replaceChildren(...drawn);
}

function nodes() {
  const focus = chosen()?.status.city;
  const active = document.activeElement?.getAttribute?.("data-city");
  const radius = size();
  const marks = store.cities.map(({ status }) => {
    const [x, y] = places.get(status.city);
    const count = Object.values(status.merchants).reduce((sum, one) => sum + one, 0);
    const node = draw("g", {
      class: "city", role: "button", tabindex: "0", transform: `translate(${x} ${y})`, "data-city": status.city,
      "aria-pressed": String(status.city === focus), "aria-label": `${status.city}, ${count} merchants`,
      onclick: () => choose(status.city),
      onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose(status.city)),
    });
    node.append(draw("circle", { r: radius + 7, class: "halo" }));
    node.append(...ring(status.merchants, count, radius));
    node.append(draw("circle", { r: Math.max(3, radius - 8), fill: ofCity(status.city) }));
    if (radius >= 20) node.append(draw("text", { class: "count", dy: "0.35em" }, count));
    if (radius >= 12) node.append(draw("text", { class: "name", y: radius + 25 }, status.city));
    else node.append(draw("title", {}, `${status.city}, ${count} merchants`));
    return node;
  });
  layers.cities.replaceChildren(...marks);
  if (active) layers.cities.querySelector(`[data-city="${CSS.escape(active)}"]`)?.focus();
}

/** The merchants of a city by good, as arcs. */
function ring(merchants, count, radius) {
  const { line } = theme();
  const round = 2 * Math.PI * radius;
  const arcs = [draw("circle", { r: radius, class: "ring", stroke: line })];
  let from = 0;
  for (const [good, number] of Object.entries(merchants)) {
    if (!number) continue;
    const length = (number / count) * round;
    arcs.push(draw("circle", {
      r: radius, class: "ring", stroke: ofGood(good), transform: "rotate(-90)",
      "stroke-dasharray": `${Math.max(1, length - 1.5)} ${round}`, "stroke-dashoffset": -from,
    }));
    from += length;
  }
  return arcs;
}

/** Send those on their way who set out since the reading before. */
export function travel() {
  const now = new Map();
  const still = document.hidden || !picture || matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const { status } of store.cities) {
    for (const other of Object.keys(status.roads)) {
      for (const [good, count] of Object.entries(setOut(status, other))) {
        const name = JSON.stringify([status.city, other, good]);
        now.set(name, count);
        const fresh = Math.min(AT_ONCE, count - (before.get(name) ?? count));
        for (let one = 0; one < fresh && !still; one++) send(status.city, other, good, one);
      }
    }
  }
  before = now;
}

/** {good: merchants that ever went from this city to the other}; "" where the good is not known. */
function setOut(status, other) {
  const there = store.cities.find((city) => city.status.city === other)?.status;
  return status.detail?.travelled?.[other] ?? there?.detail?.arrived?.[status.city] ?? { "": status.roads[other].sent };
}

function send(city, other, good, place) {
  const from = places.get(city);
  const to = places.get(other);
  if (!from || !to || layers.travellers.childElementCount >= TRAVELLERS) return;
  const dot = draw("circle", { r: size() > 13 ? 6 : 3, fill: good ? ofGood(good) : theme().muted, class: "traveller" });
  layers.travellers.append(dot);
  // Whoever goes there keeps to the right of whoever comes back.
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const aside = [(-(to[1] - from[1]) / length) * 5, ((to[0] - from[0]) / length) * 5];
  const at = (point) => `translate(${point[0] + aside[0]}px, ${point[1] + aside[1]}px)`;
  const way = dot.animate([{ transform: at(from) }, { transform: at(to) }], { duration: TRAVEL_MS, delay: place * 120, easing: "ease-in-out", fill: "both" });
  way.onfinish = way.oncancel = () => dot.remove();
}
