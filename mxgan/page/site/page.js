// The page of faces. It knows what a face's address is, and not where faces come from: settings.json says that.

import { between, parse, plain, query, random, same, words } from "./address.js";
import { makeGrid } from "./grid.js";
import { makeLarge, save, thumb } from "./large.js";

const BLOCK = 64; // the grid begins where `mxgan generate` would begin a grid
const NEAR = 0.2; // how far "more like this" goes towards other faces
const MORPH = 450; // milliseconds from a face to the next
const WALK = 4000; // milliseconds from a start to its end

const $ = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const beside = matchMedia("(min-width: 60rem)"); // as in style.css: the grid stands beside the face, not below

let settings; // what the page is told of its generator
let source; // what draws
let large; // the large face
let grid;
let here; // the address that is shown
let start = null; // a face chosen as a start, while its end is not
let origin; // {seed, index}: where the grid begins
let like = null; // the address whose likes the grid shows; null: it shows all of a seed

/** Show a face. `push`: as a new page that Back leaves. `morph`: by way of those between. */
function go(address, { push = true, morph = false } = {}) {
  const before = here;
  here = address;
  large.stop();
  if (push) history.pushState(null, "", `?${query(here)}`);
  else written();
  tell();
  const alike = before && before.truncation === address.truncation && before.label === address.label;
  if (morph && source.smooth && !still.matches && alike && !before.to && !address.to) {
    large.play(MORPH, (t) => large.paint(t < 1 ? between(before, address, t) : address));
  } else large.paint(address);
}

/** The page's own address is that of its face. */
function written() {
  history.replaceState(null, "", `?${query(here)}`);
}

/** The face `by` places further. */
function next(by) {
  const index = here.index + by;
  if (index >= 0) go(plain(here.seed, index, here), { morph: true });
}

/** A face of the grid was chosen: as the start of a walk, or its end. */
function pick(address) {
  if (address.to) return go(address); // one of "more like this" is a walk already
  if (!start || same(start, address)) {
    start = start ? null : address;
    go(address, { morph: true });
    return say(start ? `Face ${address.index} is the start. Choose another as the end.` : "", true);
  }
  const from = start;
  start = null;
  say("");
  go(between(from, address, still.matches ? 0.5 : 0));
  scrollTo($("title"));
  if (!still.matches) walk();
}

/** Walk to the end; from there, back. */
function walk() {
  const [from, to] = here.t === 1 ? [1, 0] : [here.t, 1];
  const eased = (t) => t * t * (3 - 2 * t);
  const moved = (t) => step(Math.round(100 * (from + (to - from) * eased(t))) / 100);
  large.play(WALK * Math.abs(to - from), moved, halt);
  tellWalk();
}

function halt() {
  large.stop();
  written();
  tellWalk();
}

/** Go to a place of the walk. The page's own address follows once it stands still: browsers bound how often it may. */
function step(t) {
  here = { ...here, t };
  $("walk-t").value = t;
  tellFace();
  large.paint(here);
}

/** Stay at the end that is nearer. */
function endWalk() {
  const waited = start;
  start = null;
  say("");
  if (here.to) go(here.t < 0.5 ? plain(here.seed, here.index, here) : plain(here.to.seed, here.to.index, here));
  else if (waited) tell();
}

// What the page says of its state

function tell() {
  tellFace();
  tellWalk();
  $("previous").disabled = here.index === 0;
  $("truncation").value = here.truncation;
  $("truncation-value").textContent = here.truncation.toFixed(2);
  $("label").value = here.label ?? "";
  grid?.mark("shown", (address) => same(address, here));
  grid?.mark("start", (address) => start !== null && same(address, start));
}

function tellFace() {
  $("caption").ariaLive = here.to ? "off" : "polite"; // on a walk the slider speaks
  $("caption").textContent = words(here);
  $("face").setAttribute("aria-label", words(here));
  $("walk-t").setAttribute("aria-valuetext", `${Math.round(100 * here.t)}%`);
}

function tellWalk() {
  const from = here.to ? plain(here.seed, here.index, here) : start;
  for (const id of ["walk-from", "walk-end"]) $(id).hidden = !from;
  for (const id of ["walk-to", "walk-t", "walk-play"]) $(id).hidden = !here.to;
  $("walk-hint").hidden = Boolean(here.to);
  $("walk-hint").textContent = from ? "Now choose the end." : "Choose two faces of the grid to walk between them.";
  $("walk-t").value = here.t;
  $("walk-play").textContent = large.playing() ? "❚❚" : "▶";
  $("walk-play").setAttribute("aria-label", large.playing() ? "Stand still" : "Walk there, or back");
  if (from) thumb($("walk-from"), source, from).catch(failed);
  if (here.to) thumb($("walk-to"), source, plain(here.to.seed, here.to.index, here)).catch(failed);
}

let forgetting;

/** Say a line at the foot of the page, for some seconds or, if it `stays`, until another is said. */
function say(text, stays = false) {
  clearTimeout(forgetting);
  $("status").textContent = text;
  if (text && !stays) forgetting = setTimeout(() => ($("status").textContent = ""), 6000);
}

function failed(error) {
  say(`This face can't be drawn: ${error.message}`);
}

/** Bring an element into sight; at the top, if it `begins` what is to be looked at. Beside the face it is in sight. */
function scrollTo(element, begins = false) {
  const block = begins && !beside.matches ? "start" : "nearest";
  element.scrollIntoView({ block, behavior: still.matches ? "auto" : "smooth" });
}

// The grid: all faces of a seed, or those like one

function addressOf(place) {
  if (!like) return plain(origin.seed, origin.index + place, here);
  const index = place < like.index ? place : place + 1; // not towards itself
  return between(plain(like.seed, like.index, here), { seed: like.seed, index }, NEAR);
}

function named(address) {
  return address.to ? `Like face ${address.index}, number ${address.to.index}` : `Face ${address.index}`;
}

/** Let the grid show all faces of the seed that is shown, or those like a face. */
function fill(face = null) {
  like = face;
  origin = { seed: here.seed, index: here.index - (here.index % BLOCK) };
  $("crowd-title").textContent = face ? `Like face ${face.index} of seed ${face.seed}` : `Faces of seed ${origin.seed}`;
  $("all").hidden = !face;
  grid.restart();
  tell();
}

/** What all faces depend on has changed. */
function changed() {
  start = null;
  go(here, { push: false });
  grid.refresh();
}

// What a visitor does

function listen() {
  $("next").addEventListener("click", () => next(1));
  $("previous").addEventListener("click", () => next(-1));
  $("save").addEventListener("click", () => save(source, here).catch(failed));
  $("like").addEventListener("click", () => {
    const nearer = here.to && here.t >= 0.5 ? here.to : here;
    fill(plain(nearer.seed, nearer.index, here));
    scrollTo($("crowd-title"), true);
  });
  $("all").addEventListener("click", () => fill());
  $("walk-end").addEventListener("click", endWalk);
  $("walk-play").addEventListener("click", () => (large.playing() ? halt() : walk()));
  $("walk-t").addEventListener("input", () => {
    large.stop();
    step(Number($("walk-t").value));
  });
  $("walk-t").addEventListener("change", halt);
  $("truncation").addEventListener("input", () => {
    here = { ...here, truncation: Number($("truncation").value) };
    large.stop();
    tell();
    large.paint(here);
  });
  $("truncation").addEventListener("change", changed);
  $("label").addEventListener("change", () => {
    here = { ...here, label: $("label").value === "" ? null : Number($("label").value) };
    changed();
  });
  addEventListener("keydown", keyed);
  addEventListener("popstate", back);
}

function keyed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return endWalk();
  if (event.target.closest("button, input, select, a")) return; // which have keys of their own
  if (event.key === " " || event.key === "ArrowRight") next(1);
  else if (event.key === "ArrowLeft") next(-1);
  else return;
  event.preventDefault(); // space would scroll
}

/** Back or forward. */
function back() {
  const { address } = parse(location.search, settings.classes);
  if (!address) return;
  const before = here;
  start = null;
  go(address, { push: false });
  if (before.seed !== address.seed) fill();
  else if (before.truncation !== address.truncation || before.label !== address.label) grid.refresh();
}

/** The address to begin with: the one in the page's own, but a reload asks for another face. */
function first() {
  const [visit] = performance.getEntriesByType("navigation");
  const again = visit?.type === "reload" && !document.wasDiscarded; // a tab that slept wakes with its face
  const { address, like, problem } = parse(location.search, settings.classes);
  if (problem) say(`${problem}; here is another face.`);
  return address && !again ? address : random(like);
}

async function begin() {
  const answer = await fetch("settings.json");
  if (!answer.ok) throw new Error(`settings.json can't be loaded: ${answer.status} ${answer.statusText}`);
  settings = await answer.json();
  document.documentElement.style.setProperty("--shape", settings.width / settings.height);
  const { open } = await import(settings.source === "server" ? "./from_server.js" : "./from_browser.js");
  const opened = await open(settings, (loaded, total) => {
    $("progress").value = loaded / total;
    $("loading-words").textContent = `Loading ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
  });
  source = { ...opened, size: [settings.width, settings.height] };
  $("about").textContent = `${source.about}, with ${settings.name}.`;
  $("runs").hidden = settings.source !== "server";
  for (const part of document.getElementsByClassName("of-labels")) part.hidden = !settings.classes;
  $("label").append(new Option("all in turn", ""));
  for (let label = 0; label < (settings.classes ?? 0); label++) $("label").append(new Option(label, label));
  const drawn = () => ($("loading").hidden = true);
  large = makeLarge({ canvas: $("face"), source, drawn, failed });
  go(first(), { push: false });
  grid = makeGrid({ element: $("grid"), end: $("more"), source, addressOf, named, pick, failed });
  fill();
  listen();
}

begin().catch((error) => {
  $("loading-words").textContent = error.message;
  $("progress").hidden = true;
});
