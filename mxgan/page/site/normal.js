// Standard normal numbers from 32-bit ones by the ziggurat, in float32: NumPy's, to the last bit but in the far tail.
//
// Marsaglia and Tsang 2000, "The ziggurat method for generating random variables", with 256 strips of one area. Written
// from the paper; which bits mean what is as NumPy has it (standard_normal with dtype float32), so that one seed gives
// the same numbers here and there. The tables below come out equal to NumPy's, byte for byte.

const R = 3.6541528853610088; // where the tail begins: 256 strips fit under the curve
const AREA = 0.00492867323399; // of each strip, the tail's included
const SCALE = 2 ** 23; // a place in a strip has 23 bits

const inside = new Uint32Array(256); // a place below this is under the curve, whatever its height
const width = new Float32Array(256); // of one of the 2^23 places
const height = new Float32Array(256); // of the curve at the strip's end
fill();

function fill() {
  const curve = (x) => Math.exp(-0.5 * x * x);
  let end = R;
  inside[0] = Math.round(((R * curve(R)) / AREA) * SCALE);
  width[0] = AREA / curve(R) / SCALE;
  height[0] = 1;
  for (let strip = 255; strip > 0; strip--) {
    width[strip] = end / SCALE;
    height[strip] = curve(end);
    const before = Math.sqrt(-2 * Math.log(AREA / end + curve(end)));
    inside[strip] = strip === 1 ? 0 : Math.round((before / end) * SCALE);
    end = before;
  }
}

/** The tables, to be compared with NumPy's. */
export const tables = () => [inside, width, height];

/** The next standard normal number, a float32, of a source of 32-bit numbers such as philox() gives. */
export function normal(next) {
  for (;;) {
    const bits = next();
    const strip = bits & 0xff;
    const sign = bits & 0x100 ? -1 : 1;
    const place = bits >>> 9;
    const x = sign * Math.fround(place * width[strip]);
    if (place < inside[strip]) return x; // 99 of 100 end here
    if (strip === 0) return place & 0x100 ? -tail(next) : tail(next);
    const y = Math.fround(
      Math.fround(Math.fround(height[strip - 1] - height[strip]) * fraction(next)) + height[strip],
    );
    if (y < Math.exp(-0.5 * x * x)) return x;
  }
}

/** A number beyond R (Marsaglia 1964). The logarithm is rounded otherwise than NumPy's: a last bit may differ. */
function tail(next) {
  const inverse = Math.fround(1 / R);
  for (;;) {
    const x = Math.fround(-inverse * Math.fround(Math.log1p(-fraction(next))));
    const y = -Math.fround(Math.log1p(-fraction(next)));
    if (Math.fround(y + y) > Math.fround(x * x)) return Math.fround(Math.fround(R) + x);
  }
}

/** A number in [0, 1) of 24 bits. */
function fraction(next) {
  return (next() >>> 8) * 2 ** -24;
}
