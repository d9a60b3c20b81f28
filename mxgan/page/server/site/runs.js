// /runs: the runs of a folder.

import { ago, element, follow, shown, steps } from "./live.js";

const part = (id) => document.getElementById(id);
let runs = [];

function draw() {
  part("none").hidden = runs.length > 0;
  part("runs").replaceChildren(...runs.map(row));
}

function row(run) {
  const link = element("a", run.name);
  link.href = `runs/${encodeURIComponent(run.name)}`;
  const head = element("div", "", "row-head");
  head.append(link, element("span", run.state, `state ${run.state}`));
  const said = [steps(run), run.best && `best score ${shown(run.best.score)}`, run.recipe, run.engine];
  const facts = [...said.filter(Boolean), run.written ? `wrote ${ago(run.written)}` : "has written nothing"];
  const item = element("li");
  item.append(head, element("p", facts.join(" · "), "soft"));
  if (run.steps && typeof run.step === "number") {
    const bar = element("progress");
    bar.max = run.steps;
    bar.value = Math.min(run.step, run.steps);
    bar.setAttribute("aria-label", `Steps of ${run.name}`);
    item.append(bar);
  }
  if (run.why) item.append(element("p", run.why, "why"));
  return item;
}

follow("events", {
  show(known) {
    part("folder").textContent = known.folder;
    runs = known.runs;
    draw();
  },
  lost(is) {
    part("notice").hidden = !is;
    part("notice").textContent = is ? "The server can't be reached. This page goes on when it is back." : "";
  },
});
setInterval(() => {
  // the times alone: links that are being used stay
  part("runs").querySelectorAll("li").forEach((item, place) => {
    if (runs[place]) item.querySelector(".soft").textContent = row(runs[place]).querySelector(".soft").textContent;
  });
}, 10000);
