// A picture with two axes on a canvas: dots or curves whose x axis is not time.
// Here: scales, axes and drawing. Not here: charts over time (charts.js), what is drawn (residents.js).

import { theme } from "./colours.js";
import { make } from "./format.js";

const LEFT = 60;
const BOTTOM = 36;
const TOP = 10;
const RIGHT = 22;
const DOT_PX = 3;

/**
 * What a picture draws.
 * @typedef {Object} Shape
 * @property {string} colour
 * @property {number[][]} points [x, y] of each dot, or of each corner of a curve
 * @property {boolean} [strong] whether a curve is drawn thicker
 */

export class Axes {
  /**
   * Create an empty picture.
   * @param {Element} place the element that the picture is added to
   * @param {Object} options
   * @param {string} options.label what the picture shows, for screen readers
   * @param {string} options.x the title of the x axis
   * @param {string} options.y the title of the y axis
   * @param {number} [options.height] in pixels
   */
  constructor(place, { label, x, y, height = 220 }) {
    Object.assign(this, { label, x, y, height });
    this.canvas = make("canvas", { role: "img", "aria-label": label });
    place.append(this.canvas);
    this.content = null;
    new ResizeObserver(() => this.paint()).observe(place);
  }

  /**
   * Draw shapes in place of those before.
   * @param {Shape[]} shapes
   * @param {Object} options
   * @param {number[]} options.minima the least [x, y] that the axes reach to
   * @param {boolean} options.dots whether points are dots instead of the corners of a curve
   * @param {string} [options.description] the main values, for screen readers
   */
  draw(shapes, { minima, dots, description }) {
    this.content = { shapes, minima, dots };
    this.canvas.setAttribute("aria-label", description ? `${this.label}: ${description}` : this.label);
    this.paint();
  }

  paint() {
    const width = this.canvas.parentElement.clientWidth;
    if (!this.content || !width) return;
    const ctx = this.clear(width);
    const scales = this.scales(width);
    this.paintAxes(ctx, width, scales);
    for (const shape of this.content.shapes) paintShape(ctx, shape, this.content.dots, scales);
  }

  /** Clear the canvas and return its context, in which a unit is a pixel of the page. */
  clear(width) {
    const { canvas, height } = this;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    canvas.style.height = `${height}px`;
    const ctx = canvas.getContext("2d");
    ctx.scale(devicePixelRatio, devicePixelRatio);
    return ctx;
  }

  scales(width) {
    const { shapes, minima } = this.content;
    const points = shapes.flatMap((shape) => shape.points);
    const right = roundAxis(Math.max(minima[0], ...points.map(([x]) => x)));
    const top = roundAxis(Math.max(minima[1], ...points.map(([, y]) => y)));
    return {
      right, top,
      px: (value) => LEFT + (value / right.end) * (width - LEFT - RIGHT),
      py: (value) => this.height - BOTTOM - (value / top.end) * (this.height - BOTTOM - TOP),
    };
  }

  paintAxes(ctx, width, { right, top, px, py }) {
    const { height } = this;
    const { muted, line } = theme();
    ctx.font = "11px system-ui, sans-serif";
    ctx.fillStyle = muted;
    ctx.strokeStyle = line;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (let value = 0; value <= top.end; value += top.step) {
      ctx.beginPath();
      ctx.moveTo(LEFT, py(value));
      ctx.lineTo(width - RIGHT, py(value));
      ctx.stroke();
      ctx.fillText(value.toLocaleString("en"), LEFT - 6, py(value));
    }
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    for (let value = 0; value <= right.end; value += right.step) {
      ctx.fillText(value.toLocaleString("en"), px(value), height - BOTTOM + 5);
    }
    ctx.fillText(this.x, LEFT + (width - LEFT - RIGHT) / 2, height - 14);
    ctx.save();
    ctx.translate(8, TOP + (height - TOP - BOTTOM) / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.textBaseline = "middle";
    ctx.fillText(this.y, 0, 0);
    ctx.restore();
  }
}

function paintShape(ctx, { colour, points, strong }, dots, { px, py }) {
  ctx.fillStyle = ctx.strokeStyle = colour;
  ctx.lineWidth = strong ? 2.5 : 1.5;
  ctx.globalAlpha = dots ? 0.65 : 1;
  ctx.beginPath();
  for (const [x, y] of points) {
    if (dots) {
      ctx.moveTo(px(x) + DOT_PX, py(y));
      ctx.arc(px(x), py(y), DOT_PX, 0, 2 * Math.PI);
    } else ctx.lineTo(px(x), py(y));
  }
  if (dots) ctx.fill();
  else ctx.stroke();
}

/** Return a round end and step of an axis that reaches at least to this value. */
function roundAxis(value) {
  const rough = value / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return { step, end: Math.ceil(value / step) * step };
}
