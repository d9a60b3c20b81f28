// What a generator is given: the latent of a face's address, as mxgan's Python draws it (mxgan/rng.py, mxgan/walks.py).

import { normal } from "./normal.js";
import { philox } from "./philox.js";

const BLOCK = 64; // latents are drawn in blocks of this size: a face depends on its seed and index alone
const STREAM = 0xae68bf0450cfca24n; // "generate": the first 8 bytes of its SHA-256, little-endian
const KEPT = 16; // blocks remembered
const PARALLEL = 1e-6; // sine of the angle below which two latents have one direction

const blocks = new Map(); // by what they are drawn from; the one used last stands last

/**
 * The latent of an address, Float32Array (latent): `address` as address.js makes it; `settings`: `latent`, its length,
 * and `uniform`, whether it is from U(-1, 1) instead of N(0, 1).
 */
export function latentOf(address, settings) {
  let z = sample(address.seed, address.index, settings);
  if (address.to) z = slerp(z, sample(address.to.seed, address.to.index, settings), address.t);
  return truncated(z, address.truncation);
}

/** The latent of one sample, Float32Array: rng.samples(seed, index, 1, latent, uniform)[0]. `seed`: its digits. */
export function sample(seed, index, { latent, uniform }) {
  const number = Math.floor(index / BLOCK);
  const name = `${seed}/${number}/${latent}/${uniform}`;
  const block = blocks.get(name) ?? { next: philox([BigInt(seed), STREAM], BigInt(number)), rows: [] };
  blocks.delete(name);
  blocks.set(name, block);
  if (blocks.size > KEPT) blocks.delete(blocks.keys().next().value);
  const draw = uniform ? () => fromMinusOneToOne(block.next) : () => normal(block.next);
  while (block.rows.length <= index % BLOCK) block.rows.push(Float32Array.from({ length: latent }, draw));
  return block.rows[index % BLOCK];
}

/** A uniform number in [-1, 1): the upper 24 of 64 bits. */
function fromMinusOneToOne(next) {
  next();
  return (next() >>> 8) * 2 ** -23 - 1;
}

/** walks.truncated: nearer to the middle, for 0 < truncation <= 1. */
export function truncated(z, truncation) {
  const factor = Math.fround(truncation);
  return z.map((value) => value * factor);
}

/** walks.slerp: the point t of the way on the great circle from a to b; where there is none, on the straight line. */
export function slerp(a, b, t) {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  const cosine = lengths > 0 ? Math.min(1, Math.max(-1, dot(a, b) / lengths)) : 1;
  const angle = Math.acos(cosine);
  if (Math.sin(angle) < PARALLEL) return a.map((value, place) => (1 - t) * value + t * b[place]);
  const [from, to] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
  return a.map((value, place) => (from * value + to * b[place]) / Math.sin(angle));
}

function dot(a, b) {
  return a.reduce((sum, value, place) => sum + value * b[place], 0);
}
