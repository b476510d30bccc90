// What every page has: charts drawn when they come into view, a state behind the #, a link to copy.
"use strict";
window.tunescope = (() => {
  const root = document.documentElement.dataset.root;
  const waiting = new Map(); // address of a script of data -> functions to call with its values

  // Data come as scripts, as a page opened from disk may not ask for anything else.
  const load = (address) => new Promise((resolve, reject) => {
    const key = new URL(address, document.baseURI).href;
    if (!waiting.has(key)) {
      const element = document.createElement("script");
      element.src = key;
      element.onerror = () => reject(new Error(`${address} cannot be read`));
      document.head.append(element);
      waiting.set(key, []);
    }
    waiting.get(key).push(resolve);
  });
  const data = (...values) => {
    for (const resolve of waiting.get(document.currentScript.src) || []) resolve(values);
  };

  // Text from data enters a page through this only: as text nodes and attributes.
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // The state of a view: names and texts behind the #.
  const state = {
    read: () => Object.fromEntries(new URLSearchParams(location.hash.slice(1))),
    write: (values, keep = false) => {
      const held = new URLSearchParams();
      for (const [name, value] of Object.entries(values)) {
        if (value !== "" && value !== null && value !== undefined) held.set(name, value);
      }
      const address = held.size ? `#${held}` : location.pathname + location.search;
      history[keep ? "pushState" : "replaceState"](null, "", address);
    },
  };

  const draw = async (place) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "soon";
    const [specs] = await load(place.dataset.source);
    const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
    await vegaEmbed(place, specs[Number(place.dataset.number)], options);
    place.dataset.drawn = "yes";
  };
  const charts = [...document.querySelectorAll(".chart")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
  }, { rootMargin: "600px" });
  charts.forEach((place) => seen.observe(place));
  addEventListener("beforeprint", () => charts.forEach(draw));

  const copy = document.getElementById("copy-link");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      copy.textContent = "Copied";
    } catch {
      prompt("The address of this view:", location.href);
    }
    setTimeout(() => (copy.textContent = "Copy link"), 1500);
  });

  return { root, load, data, make, state, draw, charts };
})();
