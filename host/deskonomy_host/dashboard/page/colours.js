// A colour for each city and each good, the same everywhere on the page.
// Here: choosing them, and the page's own colours for canvases. Not here: the style sheet.

const CITIES = ["#2f9e63", "#1c97b5", "#c9941a", "#b455b0", "#d1534a", "#4b74d1", "#858d99"]; // as in palette.py
const GOODS = { wood: "#9a6a3c", chair: "#e0813a", thread: "#8a6fd0", bed: "#2b9c94" };

const cities = new Map();
const goods = new Map(Object.entries(GOODS));
let given = {};

/** Use the colours that the server knows, {city: "#rrggbb"}. */
export function setCityColours(colours) {
  given = colours;
  cities.clear();
}

/** Return a colour beyond the tables: hues a golden angle apart, so that neighbours differ. */
function makeColour(index) {
  return `hsl(${Math.round(index * 137.508 + 20) % 360} 48% ${index % 2 ? 46 : 56}%)`;
}

export function colourOfCity(city) {
  if (!cities.has(city)) {
    const taken = [...cities.values(), ...Object.values(given)];
    const free = CITIES.find((colour) => !taken.includes(colour));
    cities.set(city, given[city] ?? free ?? makeColour(cities.size));
  }
  return cities.get(city);
}

export function colourOfGood(good) {
  if (!goods.has(good)) goods.set(good, makeColour(goods.size + 3));
  return goods.get(good);
}

/** Return a colour of which only this share covers the background. */
export function faint(colour, share) {
  return `color-mix(in srgb, ${colour} ${Math.round(share * 100)}%, transparent)`;
}

/** Return the colours that canvases draw with, as the style sheet has them in the current colour scheme. */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return { ink: read("--ink"), muted: read("--muted"), line: read("--line"), mark: read("--mark") };
}
