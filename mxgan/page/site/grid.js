// A grid of faces that goes on for as long as one scrolls. One tab stop; the arrow keys move inside it.

const BATCH = 24; // faces added at once
const AHEAD = "600px"; // how far below the window they are added

/**
 * Fill `element` with faces, more whenever `end`, the place below it, comes near.
 *
 * `source`: draws them. `addressOf(number)`: the face at a place. `named(address)`: what it is called. `pick(address)`
 * is called for the one that is chosen, `failed(error)` where one can't be drawn.
 */
export function makeGrid({ element, end, source, addressOf, named, pick, failed }) {
  const cells = []; // {button, canvas, address, place}
  let waiting = []; // those to be drawn
  let busy = 0;
  const observer = new IntersectionObserver(([seen]) => seen.isIntersecting && grow(), { rootMargin: AHEAD });

  function grow() {
    for (let count = 0; count < BATCH; count++) add();
    pump();
    observer.unobserve(end); // observed anew it tells whether it still is near
    requestAnimationFrame(() => observer.observe(end));
  }

  function add() {
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    const cell = { button, canvas, address: null, place: cells.length };
    [canvas.width, canvas.height] = source.size;
    button.type = "button";
    button.className = "cell";
    button.tabIndex = cells.length ? -1 : 0;
    button.append(canvas);
    button.addEventListener("click", () => pick(cell.address));
    cells.push(cell);
    aim(cell);
    element.append(button);
  }

  function aim(cell) {
    cell.address = addressOf(cell.place);
    cell.button.setAttribute("aria-label", named(cell.address));
    waiting.push(cell);
  }

  function pump() {
    while (busy < source.atOnce && waiting.length) draw(waiting.shift());
  }

  async function draw(cell) {
    const { address } = cell;
    busy += 1;
    try {
      const picture = await source.draw(address);
      if (address === cell.address) {
        const context = cell.canvas.getContext("2d");
        context.clearRect(0, 0, cell.canvas.width, cell.canvas.height); // for faces with transparency
        context.drawImage(picture, 0, 0);
        cell.button.classList.add("drawn");
      }
      picture.close();
      busy -= 1;
      pump();
    } catch (error) {
      busy -= 1;
      if (address === cell.address) waiting.unshift(cell); // tried again with the next that are added
      failed(error);
    }
  }

  element.addEventListener("keydown", (event) => {
    const at = cells.findIndex(({ button }) => button === document.activeElement);
    const columns = getComputedStyle(element).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const next = cells[at + step];
    if (at < 0 || !step || !next) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrows change the face
    cells[at].button.tabIndex = -1;
    next.button.tabIndex = 0;
    next.button.focus();
  });

  observer.observe(end);
  return {
    /** Draw all faces anew, after what they depend on has changed: those in sight first. */
    refresh() {
      waiting = [];
      cells.forEach(aim);
      const inSight = ({ button }) => {
        const { top, bottom } = button.getBoundingClientRect();
        return bottom > 0 && top < innerHeight ? 0 : 1;
      };
      const order = new Map(cells.map((cell) => [cell, inSight(cell)]));
      waiting.sort((a, b) => order.get(a) - order.get(b));
      pump();
    },
    /** Begin anew with other faces. */
    restart() {
      for (const { button } of cells.splice(0)) button.remove();
      waiting = [];
      grow();
    },
    /** Give the class `name` to the cells whose address `fits`, and take it from the others. */
    mark(name, fits) {
      for (const { button, address } of cells) button.classList.toggle(name, fits(address));
    },
  };
}
