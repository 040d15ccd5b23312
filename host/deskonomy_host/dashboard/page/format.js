// Numbers and times as text, and short functions that make elements.
// Text from cities goes into the page only through these, as text: it can contain anything, such as HTML.

/** Return a number with a fixed count of digits, "–" for none. */
export function formatAmount(value, digits = 2) {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const formatWhole = (value) => formatAmount(value, 0);

/** Return the time of day of a moment in seconds since 1970. */
export function formatTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

export function formatDuration(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/**
 * Make an HTML element: make("td", {class: "number"}, "text", child ...).
 * @param {string} tag
 * @param {Object} attributes a name that begins with "on" is an event listener; null, undefined and false are left out
 * @param {...(string|Node)} children
 */
export function make(tag, attributes = {}, ...children) {
  return complete(document.createElement(tag), attributes, children);
}

/** Make an SVG element; see make(). */
export function makeSvg(tag, attributes = {}, ...children) {
  return complete(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function complete(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Make a patch of colour. A script sets its style, because the page's security policy allows no inline styles. */
export function swatch(colour, shape = "") {
  const patch = make("span", { class: `swatch ${shape}`, "aria-hidden": "true" });
  patch.style.background = colour;
  return patch;
}

/** Set the text of an element if it is different: screen readers read a status again each time that it is set. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
