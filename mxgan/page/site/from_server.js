// Faces that a server draws: mxgan serve.

import { query } from "./address.js";

/** The source: `about` it in words, faces asked for `atOnce`, and `draw`, from an address to an ImageBitmap. */
export async function open(settings) {
  return { about: settings.about ?? "Drawn by the server", atOnce: 6, smooth: false, draw };
}

async function draw(address) {
  const answer = await fetch(`face.png?${query(address)}`);
  if (!answer.ok) throw new Error(`the server says: ${(await answer.text()).slice(0, 200)}`);
  return createImageBitmap(await answer.blob());
}
