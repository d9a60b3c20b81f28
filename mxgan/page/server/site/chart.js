// A line chart as SVG: axes, grid, one or two curves, marks where the run warned.

const WIDTH = 640;
const HEIGHT = 220;
const LEFT = 60; // room for 0.75 in a phone's larger letters
const BOTTOM = 24;
const TOP = 14;
const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * A figure. `curves`: [name, [[step, value], ...], class]; `marks`: steps of warnings; `top`: where the axis ends, if
 * that is known; `best`: the step to mark; `dots`: a dot at each value.
 */
export function chart(title, curves, { marks = [], top = null, best = null, dots = false } = {}) {
  const points = curves.flatMap(([, values]) => values).filter(([, value]) => Number.isFinite(value));
  const last = Math.max(1, ...points.map(([step]) => step));
  const ticks = nice(top ?? Math.max(1e-9, ...points.map(([, value]) => value)));
  const highest = ticks.at(-1);
  const x = (step) => LEFT + ((WIDTH - LEFT - 8) * step) / last;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(Math.max(value, 0), highest) / highest);

  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words(title, curves) });
  for (const tick of ticks) {
    svg.append(shape("line", { x1: LEFT, x2: WIDTH - 8, y1: y(tick), y2: y(tick), class: "rule" }));
    svg.append(text(LEFT - 8, y(tick) + 4, String(tick), "end"));
  }
  for (const tick of nice(last).filter((step) => step <= last && Number.isInteger(step))) {
    const anchor = x(tick) > WIDTH - 40 ? "end" : "middle";
    svg.append(text(x(tick), HEIGHT - 6, tick.toLocaleString("en"), anchor));
  }
  for (const step of marks.filter((step) => step <= last)) {
    svg.append(shape("line", { x1: x(step), x2: x(step), y1: TOP, y2: HEIGHT - BOTTOM, class: "mark" }));
  }
  for (const [, values, kind] of curves) {
    const found = values.filter(([, value]) => Number.isFinite(value));
    const way = found.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    svg.append(shape("polyline", { points: way, class: `curve ${kind}` }));
    for (const [step, value] of dots || found.length === 1 ? found : []) {
      svg.append(shape("circle", { cx: x(step), cy: y(value), r: step === best ? 6 : 3, class: `dot ${kind}` }));
    }
  }
  const figure = document.createElement("figure");
  figure.className = "chart";
  figure.append(legend(title, curves), svg);
  return figure;
}

/** Round numbers from 0 to at least `most`, about five of them. */
export function nice(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999);
  const count = Math.ceil((most / step) * 0.999);
  return Array.from({ length: count + 1 }, (_, place) => Number((place * step).toPrecision(6)));
}

function words(title, curves) {
  const now = curves.map(([name, values]) => `${name} ${Number(values.at(-1)?.[1]?.toPrecision(3))}`);
  return `${title}, by step; now ${now.join(", ")}`;
}

function legend(title, curves) {
  const caption = document.createElement("figcaption");
  const strong = document.createElement("strong");
  strong.textContent = title;
  caption.append(strong);
  for (const [name, values, kind] of curves) {
    const label = document.createElement("span");
    label.className = `key ${kind}`;
    label.textContent = `${name} ${Number(values.at(-1)?.[1]?.toPrecision(3))}`;
    caption.append(label);
  }
  return caption;
}

function shape(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(x, y, words, anchor) {
  const made = shape("text", { x, y, "text-anchor": anchor, class: "tick" });
  made.textContent = words;
  return made;
}
