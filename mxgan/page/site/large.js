// The large face, what moves it, and small ones beside it.

import { fileName, query } from "./address.js";

const SHARP = 512; // pixels that it is enlarged to before the browser does: smoother than the browser's own way

/**
 * The large face on `canvas`. `source` draws it; `drawn` is called once there is one, `failed(error)` where one can't be
 * drawn.
 */
export function makeLarge({ canvas, source, drawn, failed }) {
  const [width, height] = source.size;
  const factor = Math.max(1, Math.round(SHARP / height));
  let wanted = null;
  let painting = false;
  let frame = 0;
  [canvas.width, canvas.height] = [factor * width, factor * height];

  /** Draw a face as soon as can be; those that were asked for meanwhile, but the newest, are left out. */
  async function paint(address) {
    wanted = address;
    if (painting) return;
    painting = true;
    while (wanted) {
      const next = wanted;
      wanted = null;
      try {
        const picture = await source.draw(next);
        const context = canvas.getContext("2d");
        context.imageSmoothingQuality = "high";
        context.clearRect(0, 0, canvas.width, canvas.height);
        context.drawImage(picture, 0, 0, canvas.width, canvas.height);
        picture.close();
        canvas.dataset.shown = query(next);
        drawn();
      } catch (error) {
        failed(error);
      }
    }
    painting = false;
  }

  /** Call `step` with numbers that go from 0 to 1 within some milliseconds, then `ended`. */
  function play(milliseconds, step, ended = () => {}) {
    const begun = performance.now();
    const tick = (now) => {
      const t = Math.min(1, Math.max(0, (now - begun) / milliseconds));
      frame = t < 1 ? requestAnimationFrame(tick) : 0;
      step(t);
      if (t === 1) ended();
    };
    frame = requestAnimationFrame(tick);
  }

  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
  }

  return { paint, play, stop, playing: () => frame !== 0 };
}

/** Draw a small face, unless it is there already. */
export async function thumb(canvas, source, address) {
  const name = query(address);
  if (canvas.dataset.shown === name) return;
  canvas.dataset.shown = name;
  [canvas.width, canvas.height] = source.size;
  const picture = await source.draw(address);
  if (canvas.dataset.shown === name) canvas.getContext("2d").drawImage(picture, 0, 0);
}

/** Give the visitor a face as a file, in the generator's own size. */
export async function save(source, address) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = source.size;
  canvas.getContext("2d").drawImage(await source.draw(address), 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName(address);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
