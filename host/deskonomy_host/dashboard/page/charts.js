// A chart over time, on uPlot: bands and lines by city, marks at events, a tooltip, zoom.
// Here: one chart, and the time range that all charts share. Not here: what a chart draws (prices.js, cause.js, money.js).

import uPlot from "./vendor/uPlot.esm.js";
import { faint, theme } from "./colours.js";
import { byId, formatTime, make, swatch } from "./format.js";
import { store } from "./store.js";

const MARK_PX = 5; // an event's mark is hit by a pointer this close to it
const APART_PX = 7; // marks closer than this are drawn as one
const ROWS_MAX = 8; // of a tooltip
const EVENTS_MAX = 4; // of a tooltip
const RANGES = [["2 min", 120], ["10 min", 600], ["All", Infinity]];

/** The time range of all charts: the latest `seconds` (Infinity for all), or `min` to `max` if the user has zoomed. */
const view = { seconds: RANGES[0][1], min: null, max: null };
const charts = new Set();

/** Return the ends of the time range, in seconds since 1970. */
function timeRange() {
  if (view.min !== null) return [view.min, view.max];
  const last = store.times.at(-1) ?? Date.now() / 1000;
  const first = store.times[0] ?? last;
  return [Math.max(first, last - view.seconds), Math.max(last, first + 10)];
}

/** Set the time range of all charts; without arguments, follow the latest samples again. */
function zoom(min = null, max = null) {
  view.min = min;
  view.max = max;
  for (const chart of charts) chart.render();
  window.dispatchEvent(new Event("zoomed"));
}

/**
 * One line of a chart. Values are numbers, or null where none is known, one for each sample of the store.
 * @typedef {Object} Line
 * @property {string} name
 * @property {string} colour
 * @property {(number|null)[]} values
 * @property {(number|null)[]} [low] with `high`, the edges of a band around the line
 * @property {(number|null)[]} [high]
 * @property {boolean} [strong] whether the line is drawn thicker
 */

export class Chart {
  /**
   * Create an empty chart in a new figure.
   * @param {Element} place the element that the figure is added to
   * @param {Object} options
   * @param {string} options.title above the chart
   * @param {string} options.label what the chart shows, for screen readers
   * @param {string} options.unit of the y axis
   * @param {number} [options.digits] of the numbers in a tooltip
   * @param {number} [options.height] in pixels
   * @param {?number} [options.floor] a value that the y axis includes
   * @param {number} [options.rangeMin] the least range of the y axis, so that noise does not look like a change
   * @param {boolean} [options.hasTimeAxis] whether the time is written below
   */
  constructor(place, { title, label, unit, digits = 2, height = 190, floor = null, rangeMin = 0.1, hasTimeAxis = true }) {
    Object.assign(this, { label, digits, height, floor, rangeMin, hasTimeAxis });
    const caption = make("figcaption", {}, make("b", {}, title), make("span", { class: "unit" }, unit));
    this.box = make("div", { class: "plot", role: "img", "aria-label": label });
    this.tip = make("div", { class: "tip", hidden: true });
    this.figure = make("figure", {}, caption, this.box, this.tip);
    place.append(this.figure);
    this.lines = [];
    this.plottedKey = "";
    this.visible = true;
    charts.add(this);
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.box);
    new IntersectionObserver(([seen]) => {
      this.visible = seen.isIntersecting;
      this.render();
    }).observe(this.figure);
  }

  /** Remove the chart from the page. */
  remove() {
    charts.delete(this);
    this.plot?.destroy();
    this.figure.remove();
  }

  size() {
    return { width: Math.max(160, this.box.clientWidth), height: this.height };
  }

  /**
   * Draw lines in place of those before.
   * @param {Line[]} lines
   * @param {string} [description] the latest values, for screen readers
   */
  draw(lines, description) {
    this.lines = lines;
    this.box.setAttribute("aria-label", description ? `${this.label}: ${description}` : this.label);
    this.render();
  }

  render() {
    if (!this.visible || document.hidden) return;
    const data = [store.times];
    for (const line of this.lines) {
      data.push(line.values);
      if (line.low) data.push(line.low, line.high);
    }
    // uPlot cannot change its series, so other lines or another colour scheme need a new plot.
    const styles = this.lines.map((line) => [line.name, line.colour, line.strong, Boolean(line.low)]);
    const key = JSON.stringify([theme().ink, styles]);
    if (key !== this.plottedKey) {
      this.plottedKey = key;
      this.plot?.destroy();
      this.plot = new uPlot(this.options(), data, this.box);
    } else {
      this.plot.setData(data, false);
    }
    const [min, max] = timeRange();
    this.plot.setScale("x", { min, max });
  }

  options() {
    const { muted, line: grid } = theme();
    const font = "11px system-ui, sans-serif";
    const axis = { stroke: muted, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
    const labelWidth = (labels) => Math.max(46, 16 + 7 * Math.max(0, ...(labels ?? []).map((label) => label.length)));
    return {
      ...this.size(),
      ...this.series(),
      padding: [8, 24, this.hasTimeAxis ? 0 : 6, 0],
      legend: { show: false },
      cursor: { sync: { key: "time" }, points: { size: 6 }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true }, y: { range: (plot, low, high) => this.valueRange(low, high) } },
      axes: [
        { ...axis, show: this.hasTimeAxis, size: 26, space: 70, values: (plot, times) => times.map(formatTime), grid: { show: false } },
        { ...axis, space: 34, size: (plot, labels) => labelWidth(labels) },
      ],
      hooks: {
        drawClear: [(plot) => this.markEvents(plot)],
        setCursor: [(plot) => this.updateTip(plot)],
        setSelect: [(plot) => this.zoomToSelection(plot)],
      },
      plugins: [{ hooks: { ready: (plot) => plot.over.addEventListener("dblclick", () => zoom()) } }],
    };
  }

  series() {
    const series = [{}];
    const bands = [];
    for (const line of this.lines) {
      const width = line.strong ? 2.25 : 1.5;
      series.push({ label: line.name, stroke: line.colour, width, spanGaps: true, points: { show: false } });
      if (!line.low) continue;
      const edge = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
      bands.push({ series: [series.length + 1, series.length], fill: faint(line.colour, 0.13) });
      series.push(edge, { ...edge });
    }
    return { series, bands };
  }

  /** Return the ends of the y axis: all values with a margin, and at least `rangeMin`. */
  valueRange(low, high) {
    if (low === null || high === null || low === undefined) return [0, 1];
    const margin = Math.max((high - low) * 0.08, this.rangeMin / 2);
    return [this.floor === null ? low - margin : Math.min(this.floor, low), high + margin];
  }

  zoomToSelection(plot) {
    if (plot.select.width < 4) return;
    const min = plot.posToVal(plot.select.left, "x");
    const max = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    zoom(min, max);
  }

  /** Draw a fine line at the time of each event. */
  markEvents(plot) {
    const { mark } = theme();
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = mark;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    let last = -Infinity;
    for (const event of store.events) {
      const x = Math.round(plot.valToPos(event.time, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width || x - last < APART_PX * ratio) continue;
      last = x;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x - 3 * ratio, bbox.top);
      ctx.lineTo(x + 3 * ratio, bbox.top);
      ctx.lineTo(x, bbox.top + 5 * ratio);
      ctx.fill();
    }
    ctx.restore();
  }

  updateTip(plot) {
    const { idx, left } = plot.cursor;
    // The cursors of all charts move together; only the chart under the pointer has a tooltip.
    const isHere = idx !== null && idx !== undefined && left >= 0 && plot.over.matches(":hover");
    this.tip.hidden = !isHere;
    if (!isHere) return;
    const events = store.events.filter((event) => Math.abs(plot.valToPos(event.time, "x") - left) <= MARK_PX);
    this.tip.replaceChildren(
      make("p", {}, formatTime(store.times[idx])),
      make("ul", {}, ...this.tipRows(idx)),
      ...events.slice(-EVENTS_MAX).map((event) => make("p", { class: "event" }, event.text)),
    );
    const box = this.figure.getBoundingClientRect();
    const over = plot.over.getBoundingClientRect();
    const x = over.left - box.left + left;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${x + width + 24 > box.width ? Math.max(0, x - width - 12) : x + 12}px`;
    this.tip.style.top = `${over.top - box.top + 8}px`;
  }

  tipRows(at) {
    const isKnown = (value) => value !== null && value !== undefined;
    const format = (value) => (isKnown(value) ? value.toFixed(this.digits) : "–");
    const lines = this.lines.filter((line) => isKnown(line.values[at])).sort((a, b) => b.values[at] - a.values[at]);
    const rows = lines.slice(0, ROWS_MAX).map((line) =>
      make("li", {}, swatch(line.colour), make("span", {}, line.name), make("b", {}, format(line.values[at])),
        make("small", {}, line.low ? `${format(line.low[at])} – ${format(line.high[at])}` : "")));
    if (lines.length > ROWS_MAX) rows.push(make("li", {}, make("span", {}, `and ${lines.length - ROWS_MAX} more`)));
    return rows;
  }
}

/** Add the buttons that set the time range: for a keyboard, what dragging does for a mouse. */
export function addRangeButtons() {
  const ranges = RANGES.map(([name, seconds]) =>
    make("button", { type: "button", "aria-pressed": String(view.seconds === seconds), onclick: () => {
      view.seconds = seconds;
      zoom();
    } }, name));
  const move = (shift, factor) => () => {
    const [min, max] = timeRange();
    const middle = (min + max) / 2 + shift * (max - min);
    const half = Math.max(2, ((max - min) / 2) * factor);
    zoom(middle - half, middle + half);
  };
  const steps = [["Earlier", "‹", move(-0.4, 1)], ["Zoom in", "+", move(0, 0.5)], ["Zoom out", "−", move(0, 2)], ["Later", "›", move(0.4, 1)]]
    .map(([label, sign, onclick]) => make("button", { type: "button", "aria-label": label, title: label, onclick }, sign));
  const back = make("button", { type: "button", hidden: true, onclick: () => zoom() }, "Back to now");
  byId("range").append(...steps, ...ranges, back);
  window.addEventListener("zoomed", () => {
    back.hidden = view.min === null;
    ranges.forEach((button, at) =>
      button.setAttribute("aria-pressed", String(view.min === null && view.seconds === RANGES[at][1])));
  });
}
