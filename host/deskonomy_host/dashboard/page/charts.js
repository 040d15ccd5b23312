// A chart over time: bands and lines by city, marks where something happened, hover, zoom; on uPlot.
// Here: one chart, and the stretch of time that all charts show. Not here: what is drawn in which (prices.js, cause.js).

import uPlot from "./vendor/uPlot.esm.js";
import { faint, theme } from "./colours.js";
import { byId, clock, make, swatch } from "./format.js";
import { store } from "./store.js";

const MARK_PX = 5; // a hand is this close to what it means
const APART_PX = 7; // marks that are closer to each other are one
const ROWS = 8; // of a tooltip

/** The stretch of time shown: the last `seconds` (Infinity for all), or from `min` to `max` where somebody zoomed. */
export const view = { seconds: 120, min: null, max: null };
const charts = new Set();

export function range() {
  if (view.min !== null) return [view.min, view.max];
  const last = store.times.at(-1) ?? Date.now() / 1000;
  const first = store.times[0] ?? last;
  return [Math.max(first, last - view.seconds), Math.max(last, first + 10)];
}

/** Show this stretch in all charts; without words, the latest again. */
export function zoom(min = null, max = null) {
  view.min = min;
  view.max = max;
  for (const chart of charts) chart.show();
  window.dispatchEvent(new Event("zoomed"));
}

export class Chart {
  /**
   * A chart in a new figure. label: what it shows, for people who do not see it. unit: of the y axis. digits: of its
   * numbers. height: in pixels. low: the least that the top of the y axis may be. foot: whether it has a time axis.
   */
  constructor(place, { title, label, unit, digits = 2, height = 190, floor = null, least = 0.1, foot = true, note = "" }) {
    Object.assign(this, { label, unit, digits, height, floor, least, foot });
    this.caption = make("figcaption", {}, make("b", {}, title), make("span", { class: "unit" }, `${unit}${note}`));
    this.box = make("div", { class: "plot", role: "img", "aria-label": label });
    this.tip = make("div", { class: "tip", hidden: true });
    this.figure = make("figure", {}, this.caption, this.box, this.tip);
    place.append(this.figure);
    this.lines = [];
    this.key = "";
    this.visible = true;
    charts.add(this);
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.box);
    new IntersectionObserver(([seen]) => {
      this.visible = seen.isIntersecting;
      this.show();
    }).observe(this.figure);
  }

  remove() {
    charts.delete(this);
    this.plot?.destroy();
    this.figure.remove();
  }

  size() {
    return { width: Math.max(160, this.box.clientWidth), height: this.height };
  }

  /** Draw these lines: {name, colour, values, low, high, strong, step} each; low and high make a band. */
  draw(lines, spoken) {
    this.lines = lines;
    this.box.setAttribute("aria-label", spoken ? `${this.label}: ${spoken}` : this.label);
    this.show();
  }

  show() {
    if (!this.visible || document.hidden) return;
    const { ink } = theme();
    const key = JSON.stringify([ink, this.lines.map((line) => [line.name, line.colour, line.strong, Boolean(line.low)])]);
    const data = [store.times];
    for (const line of this.lines) {
      data.push(line.values);
      if (line.low) data.push(line.low, line.high);
    }
    if (key !== this.key) {
      this.key = key;
      this.plot?.destroy();
      this.plot = new uPlot(this.options(), data, this.box);
    } else {
      this.plot.setData(data, false);
    }
    const [min, max] = range();
    this.plot.setScale("x", { min, max });
  }

  options() {
    const { muted, line: grid } = theme();
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
    const font = "11px system-ui, sans-serif";
    const axis = { stroke: muted, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
    return {
      ...this.size(),
      padding: [8, 24, this.foot ? 0 : 6, 0],
      legend: { show: false },
      cursor: { sync: { key: "time" }, points: { size: 6 }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true }, y: { range: (plot, low, high) => this.stretch(low, high) } },
      axes: [
        { ...axis, show: this.foot, size: 26, space: 70, values: (plot, times) => times.map(clock), grid: { show: false } },
        { ...axis, space: 34, size: (plot, values) => Math.max(46, 16 + 7 * Math.max(0, ...(values ?? []).map((value) => value.length))) },
      ],
      series,
      bands,
      hooks: {
        drawClear: [(plot) => this.mark(plot)],
        setCursor: [(plot) => this.hover(plot)],
        setSelect: [(plot) => this.select(plot)],
      },
      plugins: [{ hooks: { ready: (plot) => plot.over.addEventListener("dblclick", () => zoom()) } }],
    };
  }

  /** The y axis: all that is shown with some air, never so close that noise looks like news. */
  stretch(low, high) {
    if (low === null || high === null || low === undefined) return [0, 1];
    const air = Math.max((high - low) * 0.08, this.least / 2);
    return [this.floor === null ? low - air : Math.min(this.floor, low), high + air];
  }

  select(plot) {
    if (plot.select.width < 4) return;
    const min = plot.posToVal(plot.select.left, "x");
    const max = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    zoom(min, max);
  }

  /** A fine line where something happened. */
  mark(plot) {
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

  hover(plot) {
    const { idx, left } = plot.cursor;
    // Cursors move together in all charts; only the one under the hand speaks.
    const mine = idx !== null && idx !== undefined && left >= 0 && plot.over.matches(":hover");
    this.tip.hidden = !mine;
    if (!mine) return;
    const show = (value) => (value === null || value === undefined ? "–" : value.toFixed(this.digits));
    const rows = this.lines
      .filter((line) => line.values[idx] !== null && line.values[idx] !== undefined)
      .sort((one, other) => other.values[idx] - one.values[idx]);
    const parts = rows.slice(0, ROWS).map((line) =>
      make("li", {}, swatch(line.colour), make("span", {}, line.name), make("b", {}, show(line.values[idx])),
        make("small", {}, line.low ? `${show(line.low[idx])} – ${show(line.high[idx])}` : "")));
    if (rows.length > ROWS) parts.push(make("li", {}, make("span", {}, `and ${rows.length - ROWS} more`)));
    const near = store.events.filter((event) => Math.abs(plot.valToPos(event.time, "x") - left) <= MARK_PX).slice(-4);
    this.tip.replaceChildren(
      make("p", {}, clock(store.times[idx])),
      make("ul", {}, ...parts),
      ...near.map((event) => make("p", { class: "event" }, event.text)),
    );
    const box = this.figure.getBoundingClientRect();
    const over = plot.over.getBoundingClientRect();
    const x = over.left - box.left + left;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${x + width + 24 > box.width ? Math.max(0, x - width - 12) : x + 12}px`;
    this.tip.style.top = `${over.top - box.top + 8}px`;
  }
}

const STRETCHES = [["2 min", 120], ["10 min", 600], ["All", Infinity]];

/** The buttons that choose the stretch of time; what a mouse does by dragging, they do for a keyboard. */
export function windowButtons() {
  const stretches = STRETCHES.map(([name, seconds]) =>
    make("button", { type: "button", "aria-pressed": String(view.seconds === seconds), onclick: () => {
      view.seconds = seconds;
      zoom();
    } }, name));
  const by = (shift, factor) => () => {
    const [min, max] = range();
    const middle = (min + max) / 2 + shift * (max - min);
    const half = Math.max(2, ((max - min) / 2) * factor);
    zoom(middle - half, middle + half);
  };
  const fine = [["Earlier", "‹", by(-0.4, 1)], ["Zoom in", "+", by(0, 0.5)], ["Zoom out", "−", by(0, 2)], ["Later", "›", by(0.4, 1)]]
    .map(([label, sign, onclick]) => make("button", { type: "button", "aria-label": label, title: label, onclick }, sign));
  const back = make("button", { type: "button", hidden: true, onclick: () => zoom() }, "Back to now");
  byId("window").append(...fine, ...stretches, back);
  window.addEventListener("zoomed", () => {
    back.hidden = view.min === null;
    stretches.forEach((button, at) =>
      button.setAttribute("aria-pressed", String(view.min === null && view.seconds === STRETCHES[at][1])));
  });
}
