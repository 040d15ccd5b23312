// Numbers and times as people read them, and elements made in one line.
// Text from cities goes into a page only through these, as text: it may say anything.

export function amount(value, digits = 2) {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const whole = (value) => amount(value, 0);

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

export function span(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** An element: make("td", {class: "number"}, "text", child ...); a property that begins with "on" is a listener. */
export function make(tag, words = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, words, children);
  return element;
}

/** The same for SVG. */
export function draw(tag, words = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(element, words, children);
  return element;
}

function fill(element, words, children) {
  for (const [name, value] of Object.entries(words)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
}

export const byId = (id) => document.getElementById(id);

/** A patch of colour; the style is set by script because the page allows no inline styles. */
export function swatch(colour, kind = "") {
  const patch = make("span", { class: `swatch ${kind}`, "aria-hidden": "true" });
  patch.style.background = colour;
  return patch;
}

/** Put text into an element, if it says something else now. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
