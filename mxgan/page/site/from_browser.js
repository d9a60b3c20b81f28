// Faces that this browser draws itself. The generator runs in a worker, so that the page stays smooth.

/** As from_server.js's. `progress(loaded, total)` is called with bytes while the runtime and the generator arrive. */
export async function open(settings, progress) {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let asked = 0;
  const about = await new Promise((resolve, reject) => {
    worker.onerror = () => reject(new Error("this browser can't start the generator: it needs module workers"));
    worker.onmessage = ({ data }) => {
      if (data.kind === "progress") progress(data.loaded, data.total);
      if (data.kind === "failed") reject(new Error(data.problem));
      if (data.kind === "ready") resolve(data.about);
    };
    worker.postMessage({ settings, base: document.baseURI, wanted: new URLSearchParams(location.search).get("backend") });
  });
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.problem) reject(new Error(data.problem));
    else resolve(createImageBitmap(new ImageData(data.pixels, data.width, data.height)));
  };
  const draw = (address) =>
    new Promise((resolve, reject) => {
      waiting.set((asked += 1), { resolve, reject });
      worker.postMessage({ id: asked, address });
    });
  return { about, atOnce: 1, smooth: true, draw };
}
