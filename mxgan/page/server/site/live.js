// What the pages of runs share: a stream of changes from the server, and a few words.
//
// Names, warnings and settings come from files that anybody may have edited. They are put into the page as text alone
// (textContent), never as HTML.

/**
 * Follow a stream of the server. `show` is given all that is known whenever something is new; `gone` is called when
 * there is nothing to follow any more; `lost` with true when the server can't be reached, and with false when it can.
 * A page that nobody looks at follows nothing.
 */
export function follow(address, { show, gone = () => {}, lost }) {
  let known = {};
  let source = null;
  let over = false;

  function open() {
    known = {}; // a new stream begins with everything
    source = new EventSource(address);
    source.onopen = () => lost(false);
    source.onmessage = (event) => {
      known = merged(known, JSON.parse(event.data));
      show(known);
    };
    source.onerror = () => {
      lost(true);
      known = {};
      if (source.readyState === EventSource.CLOSED) retry(); // refused, so the browser doesn't try again by itself
    };
    source.addEventListener("gone", () => {
      over = true;
      close();
      gone();
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  function retry() {
    close();
    setTimeout(() => {
      if (!over && !source && !document.hidden) open();
    }, 5000);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!over && !source) open();
  });
  open();
}

/** What is known after a message: whole values are replaced, curves go on from their point `first`. */
export function merged(known, news) {
  const all = { ...known, ...news };
  if (news.curves) {
    const kept = (known.curves?.rows ?? []).slice(0, news.curves.first);
    all.curves = { width: news.curves.width, rows: [...kept, ...news.curves.rows] };
  }
  return all;
}

/** An element with text and a class. */
export function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

/** Seconds since 1970 as people say how long ago that is. */
export function ago(written) {
  const seconds = Math.max(0, Date.now() / 1000 - written);
  for (const [unit, length] of [["days", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit} ago`;
  }
  return seconds < 10 ? "just now" : `${Math.floor(seconds)} s ago`;
}

/** Steps done of those planned: 1,200 of 4,700. */
export function steps({ step, steps: planned }) {
  if (typeof step !== "number") return "";
  return `step ${step.toLocaleString("en")}${typeof planned === "number" ? ` of ${planned.toLocaleString("en")}` : ""}`;
}

/** A score as the log has it, shorter. */
export function shown(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : "–";
}
