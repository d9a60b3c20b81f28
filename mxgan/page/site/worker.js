// The worker behind from_browser.js: it loads the generator, then draws one face after another.

import { open } from "./generator.js";
// what that imports, and so on: named here, all are fetched at once
import "./address.js";
import "./latents.js";
import "./load.js";
import "./normal.js";
import "./philox.js";

let generator;
let last = Promise.resolve(); // the face before; on a GPU the runtime can't draw two at once

self.onmessage = ({ data }) => {
  if (data.settings) start(data);
  else last = last.then(() => draw(data));
};

async function draw({ id, address }) {
  try {
    const picture = await generator.draw(address);
    self.postMessage({ id, ...picture }, [picture.pixels.buffer]);
  } catch (error) {
    self.postMessage({ id, problem: String(error?.message ?? error) });
  }
}

async function start({ settings, base, wanted }) {
  try {
    const progress = (loaded, total) => self.postMessage({ kind: "progress", loaded, total });
    generator = await open(settings, base, wanted, progress);
    self.postMessage({ kind: "ready", about: generator.about });
  } catch (error) {
    self.postMessage({ kind: "failed", problem: String(error?.message ?? error) });
  }
}
