// The worker behind from_browser.js: it loads the generator, then draws one face after another.

import { open } from "./generator.js";

let generator;

self.onmessage = async ({ data }) => {
  if (data.settings) return start(data);
  try {
    const picture = await generator.draw(data.address);
    self.postMessage({ id: data.id, ...picture }, [picture.pixels.buffer]);
  } catch (error) {
    self.postMessage({ id: data.id, problem: String(error?.message ?? error) });
  }
};

async function start({ settings, base, wanted }) {
  try {
    const progress = (loaded, total) => self.postMessage({ kind: "progress", loaded, total });
    generator = await open(settings, base, wanted, progress);
    self.postMessage({ kind: "ready", about: generator.about });
  } catch (error) {
    self.postMessage({ kind: "failed", problem: String(error?.message ?? error) });
  }
}
