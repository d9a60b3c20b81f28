// A face's address: the seed and index that `mxgan generate` counts by, how far it is drawn to the middle, and, on the
// way to a second face, which one and how far. It is the query of the page, so that a link shows the same face.
//
//   {seed: "0", index: 17, truncation: 1, label: null, to: null or {seed: "0", index: 23}, t: 0}

const MOST_SEED = 2n ** 63n - 1n;
const MOST_INDEX = Number.MAX_SAFE_INTEGER;
const NEW_SEEDS = 1_000_000; // a random face has a seed that can be read aloud

/** A face that nobody chose: the first of a random seed. `like`: an address whose truncation and label it keeps. */
export function random(like = {}) {
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  return plain(String(drawn % NEW_SEEDS), 0, like);
}

/** The face (seed, index), with the truncation and label of another address. */
export function plain(seed, index, { truncation = 1, label = null } = {}) {
  return { seed, index, truncation, label, to: null, t: 0 };
}

/** The face t of the way from an address's start to another face. */
export function between(start, to, t) {
  return { ...plain(start.seed, start.index, start), to: { seed: to.seed, index: to.index }, t };
}

/** Whether two addresses are the same face, whatever way they are written. */
export function same(a, b) {
  return query(a) === query(b);
}

/** What a query says: {address, or null where it names no face; problem, in a line, where it is wrong}. */
export function parse(text, classes = null) {
  const given = new URLSearchParams(text);
  try {
    const label = given.has("label") ? whole(given, "label", (classes ?? 1) - 1) : null;
    const truncation = given.has("truncation") ? fraction(given, "truncation") : 1;
    if (truncation === 0) throw wrong(given, "truncation", "a number above 0, at most 1");
    const like = { truncation, label: classes === null ? null : label };
    if (!given.has("seed") && !given.has("index")) return { address: null, like, problem: "" };
    const start = plain(seedOf(given, "seed"), whole(given, "index", MOST_INDEX), like);
    if (!given.has("to_seed") && !given.has("to_index")) return { address: start, like, problem: "" };
    const to = {
      seed: given.has("to_seed") ? seedOf(given, "to_seed") : start.seed,
      index: whole(given, "to_index", MOST_INDEX),
    };
    return { address: between(start, to, fraction(given, "t")), like, problem: "" };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { address: null, like: {}, problem: error.message };
  }
}

/** The query of an address, without what is as usual: seed=0&index=17. */
export function query({ seed, index, truncation, label, to, t }) {
  const said = new URLSearchParams({ seed, index });
  if (truncation !== 1) said.set("truncation", truncation);
  if (label !== null) said.set("label", label);
  if (to) {
    said.set("to_seed", to.seed);
    said.set("to_index", to.index);
    said.set("t", t);
  }
  return said.toString();
}

/** An address in words. */
export function words({ seed, index, to, t }) {
  if (!to) return `Face ${index} of seed ${seed}`;
  const way = `${Math.round(100 * t)}%`;
  if (to.seed === seed) return `Face ${index} to ${to.index} of seed ${seed}, ${way}`;
  return `Face ${index} of seed ${seed} to ${to.index} of seed ${to.seed}, ${way}`;
}

/** The name of an address's picture as a file: as `mxgan generate --each` names it. */
export function fileName({ seed, index, truncation, label, to, t }) {
  const parts = [`seed${seed.padStart(4, "0")}-${String(index).padStart(6, "0")}`];
  if (to) parts.push(`to-seed${to.seed.padStart(4, "0")}-${String(to.index).padStart(6, "0")}-t${t}`);
  if (truncation !== 1) parts.push(`truncation${truncation}`);
  if (label !== null) parts.push(`label${label}`);
  return `${parts.join("-")}.png`;
}

function seedOf(given, name) {
  const text = given.get(name) ?? "0";
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > MOST_SEED) {
    throw wrong(given, name, `a whole number from 0 to ${MOST_SEED}`);
  }
  return String(BigInt(text));
}

function whole(given, name, most) {
  const text = given.get(name) ?? "0";
  if (!/^\d{1,16}$/.test(text) || Number(text) > most) throw wrong(given, name, `a whole number from 0 to ${most}`);
  return Number(text);
}

function fraction(given, name) {
  const text = given.get(name) ?? "0";
  if (!/^(\d*\.)?\d+(e-\d+)?$/i.test(text) || !(Number(text) <= 1)) throw wrong(given, name, "a number from 0 to 1");
  return Number(text);
}

function wrong(given, name, wanted) {
  return new RangeError(`${name} ${String(given.get(name)).slice(0, 40)} is not ${wanted}`);
}
