// A picture with two axes on a canvas: dots and curves that are not over time.

import { theme } from "./colours.js";
import { make } from "./format.js";

const LEFT = 60;
const BOTTOM = 36;
const TOP = 10;
const RIGHT = 22;

export class Axes {
  /** label: what it shows, for people who do not see it. x, y: what the axes say. digits: of their numbers. */
  constructor(place, { label, x, y, height = 220 }) {
    Object.assign(this, { label, x, y, height });
    this.canvas = make("canvas", { role: "img", "aria-label": label });
    place.append(this.canvas);
    this.content = null;
    new ResizeObserver(() => this.paint()).observe(place);
  }

  /** Show dots or curves: {colour, points: [[x, y], ...], strong}. to: the ends of the axes at the least. */
  draw(content, { to, dots, spoken }) {
    this.content = { content, to, dots };
    this.canvas.setAttribute("aria-label", spoken ? `${this.label}: ${spoken}` : this.label);
    this.paint();
  }

  paint() {
    const { canvas, height } = this;
    const width = canvas.parentElement.clientWidth;
    if (!this.content || !width) return;
    const { content, to, dots } = this.content;
    const ratio = devicePixelRatio;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const points = content.flatMap((one) => one.points);
    const right = nice(Math.max(to[0], ...points.map((point) => point[0])));
    const top = nice(Math.max(to[1], ...points.map((point) => point[1])));
    const px = (value) => LEFT + (value / right.end) * (width - LEFT - RIGHT);
    const py = (value) => height - BOTTOM - (value / top.end) * (height - BOTTOM - TOP);
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
    for (let value = 0; value <= right.end; value += right.step) ctx.fillText(value.toLocaleString("en"), px(value), height - BOTTOM + 5);
    ctx.fillText(this.x, LEFT + (width - LEFT - RIGHT) / 2, height - 14);
    ctx.save();
    ctx.translate(8, TOP + (height - TOP - BOTTOM) / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.textBaseline = "middle";
    ctx.fillText(this.y, 0, 0);
    ctx.restore();
    for (const { colour, points: mine, strong } of content) {
      ctx.fillStyle = ctx.strokeStyle = colour;
      ctx.lineWidth = strong ? 2.5 : 1.5;
      ctx.globalAlpha = dots ? 0.65 : 1;
      ctx.beginPath();
      for (const [x, y] of mine) {
        if (dots) {
          ctx.moveTo(px(x) + 3, py(y));
          ctx.arc(px(x), py(y), 3, 0, 2 * Math.PI);
        } else ctx.lineTo(px(x), py(y));
      }
      if (dots) ctx.fill();
      else ctx.stroke();
    }
  }
}

/** A round end and step of an axis that holds this value. */
function nice(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  return { step, end: Math.ceil(most / step) * step };
}
