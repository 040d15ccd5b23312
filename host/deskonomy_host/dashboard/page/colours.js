// One colour a city and one a good, the same everywhere on the page.
// Here: choosing them, and the page's own ink for canvases. Not here: the style sheet.

const CITIES = ["#2f9e63", "#1c97b5", "#c9941a", "#b455b0", "#d1534a", "#4b74d1", "#858d99"]; // as in palette.py
const GOODS = { wood: "#9a6a3c", chair: "#e0813a", thread: "#8a6fd0", bed: "#2b9c94" };

const cities = new Map();
const goods = new Map(Object.entries(GOODS));
let given = {};

/** Take over the colours that the server knows, {city: "#rrggbb"}. */
export function choose(colours) {
  given = colours;
  cities.clear();
}

/** A colour beyond the table: hues a golden angle apart, so that neighbours differ. */
function beyond(index) {
  return `hsl(${Math.round(index * 137.508 + 20) % 360} 48% ${index % 2 ? 46 : 56}%)`;
}

export function ofCity(city) {
  if (!cities.has(city)) {
    const taken = [...cities.values(), ...Object.values(given)];
    const free = CITIES.find((colour) => !taken.includes(colour));
    cities.set(city, given[city] ?? free ?? beyond(cities.size));
  }
  return cities.get(city);
}

export function ofGood(good) {
  if (!goods.has(good)) goods.set(good, beyond(goods.size + 3));
  return goods.get(good);
}

/** A colour with some of the ground shining through. */
export function faint(colour, share) {
  return `color-mix(in srgb, ${colour} ${Math.round(share * 100)}%, transparent)`;
}

/** What canvases draw with: ink, muted, line, as the style sheet has them now. */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return { ink: read("--ink"), muted: read("--muted"), line: read("--line"), mark: read("--mark") };
}
