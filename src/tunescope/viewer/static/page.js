// What every page has: charts drawn when they come into view, a state behind the #, a link to copy.
"use strict";
window.tunescope = (() => {
  const root = document.documentElement.dataset.root;
  const loading = new Map(); // address of a script of data -> the promise of its values
  const waiting = new Map(); // the same -> the function that keeps the promise

  // Data come as scripts, as a page opened from disk may not ask for anything else.
  const load = (address) => {
    const key = new URL(address, document.baseURI).href;
    if (!loading.has(key)) {
      loading.set(key, new Promise((resolve, reject) => {
        waiting.set(key, resolve);
        const element = document.createElement("script");
        element.src = key;
        element.onerror = () => reject(new Error(`${address} cannot be read`));
        document.head.append(element);
      }));
    }
    return loading.get(key);
  };
  const data = (...values) => waiting.get(document.currentScript.src)(values);

  // Text from data enters a page through this only: as text nodes and attributes.
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // Behind the # stand a place on the page, a name without a value, and the state of a view, names
  // with values: #accuracy-base-upos&k=40.
  const hash = () => [...new URLSearchParams(location.hash.slice(1))];
  const place = () => (hash().find(([, value]) => value === "") || [""])[0];
  const address = (anchor, values) => {
    const held = new URLSearchParams(values).toString();
    const parts = [anchor && encodeURIComponent(anchor), held].filter(Boolean);
    return parts.length ? `#${parts.join("&")}` : location.pathname + location.search;
  };
  const state = {
    read: () => Object.fromEntries(hash().filter(([, value]) => value !== "")),
    write: (values, keep = false) => {
      const given = ([, value]) => value !== "" && value !== null && value !== undefined;
      const held = Object.entries(values).filter(given);
      history[keep ? "pushState" : "replaceState"](null, "", address(place(), held));
    },
  };

  // Charts grow when they are drawn: a place that was asked for is gone to again until it is used.
  let settled = false;
  const goto = () => {
    const target = place() && document.getElementById(place());
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(kind, () => (settled = true), { passive: true });
  }
  addEventListener("hashchange", () => { settled = false; goto(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const values = Object.entries(state.read());
    if (!link || !values.length) return;
    event.preventDefault(); // a link within the page leaves the state as it is
    history.pushState(null, "", address(link.hash.slice(1), values));
    goto();
  });

  const NARROW = 480;
  const fold = (part) => { // legends, also those that say how wide they are
    if (!part || typeof part !== "object") return;
    for (const [name, value] of Object.entries(part)) {
      const long = (part.scale?.domain ?? []).some?.((label) => String(label).length > 20);
      if (name === "legend" && value) value.columns = long ? 1 : 2;
      else if (!name.startsWith("data")) fold(value);
    }
  };
  const drawing = new Map(); // the place of a chart -> the promise of its drawing
  const fill = async (chart) => {
    try {
      const [specs] = await load(chart.dataset.source);
      const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
      const spec = specs[Number(chart.dataset.number)];
      if (chart.clientWidth < NARROW) fold(spec); // no wider than a phone
      await vegaEmbed(chart, spec, options);
      chart.dataset.drawn = "yes";
    } catch (error) {
      chart.dataset.drawn = "failed";
      chart.textContent = `This chart cannot be drawn (${error.message}): its numbers are below.`;
    }
    if (!settled) goto();
  };
  const draw = (chart) => {
    if (!drawing.has(chart)) drawing.set(chart, fill(chart));
    return drawing.get(chart);
  };
  const charts = [...document.querySelectorAll(".chart")];
  const drawAll = async () => {
    await Promise.all(charts.map(draw));
    document.documentElement.dataset.charts = "drawn";
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
  }, { rootMargin: "600px" });
  addEventListener("beforeprint", drawAll);
  addEventListener("DOMContentLoaded", () => { // all scripts are there
    charts.forEach((chart) => seen.observe(chart));
    goto();
  });

  const copy = document.getElementById("copy-link");
  const said = copy.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      copy.textContent = "Copied";
    } catch {
      prompt("The address of this view:", location.href);
    }
    setTimeout(() => (copy.textContent = said), 1500);
  });

  return { root, load, data, make, state, draw, drawAll, charts };
})();
