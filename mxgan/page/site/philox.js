// Philox4x64-10: the counter-based random numbers that mxgan/rng.py takes from NumPy, bit for bit.
// Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; the constants are the paper's.

const ROUNDS = 10;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const WEYL = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn]; // added to the key after each round
const MASK = 0xffffffffffffffffn;

/** The four 64-bit numbers of one counter: BigInts, as are the counter's four words and the key's two. */
function scrambled(counter, key) {
  let [a, b, c, d] = counter;
  let [k, l] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const x = MULTIPLIERS[0] * a;
    const y = MULTIPLIERS[1] * c;
    [a, b, c, d] = [(y >> 64n) ^ b ^ k, y & MASK, (x >> 64n) ^ d ^ l, x & MASK];
    k = (k + WEYL[0]) & MASK;
    l = (l + WEYL[1]) & MASK;
  }
  return [a, b, c, d];
}

/**
 * The stream of (key, counter), as an endless source of 32-bit halves in NumPy's order: of each 64-bit number the low
 * half, then the high one. `key`: two BigInts; `counter`: the last of the counter's four words, a BigInt.
 */
export function philox(key, counter) {
  let block = 0n;
  let at = 8;
  const halves = new Uint32Array(8);
  return function next() {
    if (at === 8) {
      block += 1n; // NumPy counts up before it draws
      scrambled([block, 0n, 0n, counter], key).forEach((word, place) => {
        halves[2 * place] = Number(word & 0xffffffffn);
        halves[2 * place + 1] = Number(word >> 32n);
      });
      at = 0;
    }
    return halves[at++];
  };
}
