// netG in this browser, by onnxruntime-web: on WebGPU where the browser has it, else in WebAssembly on one thread.

import { plain } from "./address.js";
import { latentOf } from "./latents.js";
import { load } from "./load.js";

/**
 * The generator of a page's settings: `about` it in words, and `draw`, from an address to {width, height, pixels}.
 *
 * `base`: what the settings' file names are relative to. `wanted`: "webgpu" or "wasm", to have that one whatever is
 * best. `progress(loaded, total)` is told the bytes that have arrived.
 */
export async function open(settings, base, wanted, progress) {
  const order = wanted ? [wanted] : (await hasWebGPU()) ? ["webgpu", "wasm"] : ["wasm"];
  let problem = new Error(`backend ${wanted}: there are webgpu and wasm`);
  for (const name of order.filter((name) => name in settings.runtimes)) {
    try {
      return await started(name, settings, base, progress);
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** Whether this browser has a GPU for us, and lets WebAssembly wait for it (JSPI). */
async function hasWebGPU() {
  if (!self.navigator.gpu || !("Suspending" in WebAssembly)) return false;
  const adapter = await self.navigator.gpu.requestAdapter().catch(() => null);
  return Boolean(adapter) && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}

async function started(name, settings, base, progress) {
  const runtime = settings.runtimes[name];
  const at = (file) => new URL(file, base).href;
  const [ort, [binary, model]] = await Promise.all([
    import(at(runtime.module)),
    load([runtime.binary, settings.model].map((file) => ({ ...file, address: at(file.name) })), progress),
  ]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { mjs: at(runtime.glue) };
  ort.env.wasm.wasmBinary = binary;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: [name] });

  async function draw(address) {
    const given = { z: new ort.Tensor("float32", latentOf(address, settings), [1, settings.latent]) };
    if (session.inputNames.includes("label")) {
      const label = address.label ?? address.index % settings.classes;
      given.label = new ort.Tensor("int64", BigInt64Array.of(BigInt(label)), [1]);
    }
    const { images } = await session.run(given);
    const [, channels, height, width] = images.dims;
    return { width, height, pixels: pixelsOf(await images.getData(), channels) };
  }

  if (name === "webgpu") await draw(plain("0", 0)); // a GPU that can't, says so at the first run
  return { about: `Drawn in this browser by ${name === "webgpu" ? "WebGPU" : "WebAssembly"}`, draw };
}

/** Planes of numbers in [-1, 1], of 1 (grey), 3 or 4 channels, as RGBA bytes. Rounded as mxgan/pixels.py rounds. */
function pixelsOf(values, channels) {
  const size = values.length / channels;
  const pixels = new Uint8ClampedArray(4 * size).fill(255);
  for (let channel = 0; channel < Math.max(3, channels); channel++) {
    const from = channels === 1 ? 0 : channel * size;
    for (let place = 0; place < size; place++) {
      pixels[4 * place + channel] = Math.fround(Math.fround(values[from + place] + 1) * 127.5); // which rounds to even
    }
  }
  return pixels;
}
