// Faces that a server draws: mxgan serve.

import { query } from "./address.js";

/**
 * The source: `about` it in words, how many faces may be asked for `atOnce`, whether it is quick enough to be `smooth`,
 * and `draw`, from an address to an ImageBitmap. `settings`: the server's settings.json.
 */
export async function open(settings) {
  async function draw(address) {
    const version = settings.version ? `&v=${encodeURIComponent(settings.version)}` : ""; // may be kept for ever
    const answer = await fetch(`face.png?${query(address)}${version}`);
    if (answer.ok) return createImageBitmap(await answer.blob());
    const said = await answer.json().catch(() => ({}));
    throw new Error(String(said.detail ?? `${answer.status} ${answer.statusText}`).slice(0, 200));
  }

  return { about: `Drawn by the server on ${settings.engine}`, atOnce: 6, smooth: false, draw };
}
