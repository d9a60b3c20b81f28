// /runs/NAME: one run as it learns.

import { chart } from "./chart.js";
import { ago, element, follow, shown, steps } from "./live.js";

const part = (id) => document.getElementById(id);
const here = location.pathname.replace(/\/+$/, "");
const name = decodeURIComponent(here.slice(here.lastIndexOf("/") + 1));
const base = `${encodeURIComponent(name)}/`;

let known = {};
let chosen = null; // the step that the visitor looks at; null: the newest
let playing = 0;

function head() {
  const { run, numbers } = known;
  part("state").textContent = run.state;
  part("state").className = `state ${run.state}`;
  const said = [
    steps(run),
    run.best && `best score ${shown(run.best.score)} at step ${run.best.step.toLocaleString("en")} (lower is better)`,
    numbers?.images_per_s && run.state === "running" && `${shown(numbers.images_per_s)} images/s`,
    run.recipe,
    run.engine,
    run.written && `wrote ${ago(run.written)}`,
  ];
  part("summary").textContent = said.filter(Boolean).join(" · ");
  const bar = part("progress");
  bar.hidden = !(run.steps > 0);
  bar.max = run.steps || 1;
  bar.value = Math.min(run.step ?? 0, bar.max);
  if (run.why) notice(run.why);
}

function notice(text) {
  part("notice").hidden = !text;
  part("notice").textContent = text;
}

function warnings() {
  part("warnings-part").hidden = known.warnings.length === 0;
  const items = known.warnings.map(({ step, warning }) => element("li", `Step ${step.toLocaleString("en")}: ${warning}`));
  part("warnings").replaceChildren(...items);
}

function samples() {
  const all = known.samples;
  part("no-samples").hidden = all.length > 0;
  part("samples-part").hidden = all.length === 0;
  if (all.length === 0) return;
  let place = chosen === null ? all.length - 1 : all.findIndex((step) => step >= chosen);
  if (place < 0) place = all.length - 1;
  const slider = part("step");
  slider.max = all.length - 1;
  slider.value = place;
  const words = `${all[place].toLocaleString("en")}${place === all.length - 1 ? " (newest)" : ""}`;
  slider.setAttribute("aria-valuetext", `step ${words}`);
  part("step-value").textContent = words;
  const image = part("sample");
  const address = `${base}samples/${String(all[place]).padStart(6, "0")}.png`;
  if (image.getAttribute("src") !== address) image.src = address;
  image.alt = `Samples after step ${all[place]}`;
  part("newest").disabled = place === all.length - 1;
  part("play").disabled = all.length < 2;
}

function curves() {
  const { rows } = known.curves;
  part("no-curves").hidden = rows.length > 0;
  if (rows.length === 0) return;
  const column = (place) => rows.map((row) => [row[0], row[place]]);
  const marks = known.warnings.map(({ step }) => step);
  const drawn = [
    chart("Loss", [["netD", column(1), "a"], ["netG", column(2), "b"]], { marks }),
    chart("netD's verdict", [["real faces", column(3), "a"], ["generated faces", column(4), "b"]], { marks, top: 1 }),
  ];
  if (known.scores.length) {
    const best = known.run.best?.step;
    drawn.push(chart("Score of the pictures (lower is better)", [["score", known.scores, "c"]], { marks, best, dots: true }));
  }
  part("curves").replaceChildren(...drawn);
}

function choose(place) {
  chosen = place >= known.samples.length - 1 ? null : known.samples[place];
  samples();
}

function play(on) {
  clearInterval(playing);
  playing = 0;
  part("play").textContent = on ? "Pause" : "Play";
  if (!on) return;
  if (chosen === null) choose(0);
  playing = setInterval(() => {
    choose(Number(part("step").value) + 1);
    if (chosen === null) play(false);
  }, 400);
}

part("name").textContent = name;
document.title = `${name} – run`;
part("reals").src = `${base}reals.png`;
part("step").addEventListener("input", (event) => {
  play(false);
  choose(Number(event.target.value));
});
part("play").addEventListener("click", () => play(!playing));
part("newest").addEventListener("click", () => {
  play(false);
  choose(Infinity);
});

follow(`${base}events`, {
  show(news) {
    known = news;
    notice("");
    head();
    warnings();
    samples();
    curves();
    part("reals-part").hidden = !known.reals;
    part("config").textContent = known.config;
  },
  gone() {
    play(false);
    part("state").textContent = "gone";
    part("state").className = "state gone";
    notice("The folder of this run is no longer there: it was moved or deleted. What you see is the last that was known.");
  },
  lost(is) {
    if (is) notice("The server can't be reached. This page goes on when it is back.");
  },
});
setInterval(() => known.run && head(), 10000);
