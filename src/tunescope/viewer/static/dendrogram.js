// The icicle of a dendrogram: node i is the i-th to last merge, so a cut into k opens nodes below k - 1.
"use strict";
(() => {
  const { make, state } = tunescope;
  const at = (id) => document.getElementById(id);
  const tree = JSON.parse(at("tree-data").textContent);
  const { children, height, size, words, concept, kinds } = tree;
  const ROWS = 40; // clusters drawn at once
  const ROW = 26;
  const COLOURS = 6;
  const parent = new Array(height.length).fill(-1);
  children.forEach((pair, node) => pair.forEach((child) => (parent[child] = node)));
  const USUAL = kinds.some((one) => one.name === "class") ? "class" : ""; // colours that need no naming
  const view = { k: tree.k, node: 0, colour: USUAL, concept: -1 };

  const inner = (node) => node < children.length;
  const open = (node) => inner(node) && node < view.k - 1;
  const clusters = new Map(); // of a node, the clusters of the cut in it
  const count = (node) => {
    if (!open(node)) return 1;
    if (!clusters.has(node)) clusters.set(node, count(children[node][0]) + count(children[node][1]));
    return clusters.get(node);
  };
  // Which run's concept a node is, or lies in.
  const within = (node) => {
    for (let above = node; above >= 0; above = parent[above]) if (concept[above] >= 0) return concept[above];
    return -1;
  };

  // Whether a node is the concept that was asked for, or holds it.
  const holds = (node) => {
    if (view.concept < 0) return false;
    for (let at = concept.indexOf(view.concept); at >= 0; at = parent[at]) if (at === node) return true;
    return false;
  };
  // The largest part of the tree around a concept of which every cluster is drawn.
  const around = (number) => {
    clusters.clear();
    let node = concept.indexOf(number);
    while (parent[node] >= 0 && count(parent[node]) <= ROWS) node = parent[node];
    return inner(node) ? node : 0;
  };

  // The highest merges are opened first, as far as there is room.
  const rows = () => {
    const opened = new Set();
    const waiting = [view.node];
    let n = 1;
    while (n < ROWS && waiting.length) {
      waiting.sort((a, b) => a - b);
      const node = waiting.shift();
      if (!open(node)) continue;
      opened.add(node);
      waiting.push(...children[node]);
      n += 1;
    }
    return opened;
  };

  const kind = () => kinds.find((one) => one.name === view.colour);
  const coloured = () => {
    const chosen = kind();
    if (!chosen) return { of: () => "", names: [] };
    const often = new Map();
    chosen.top.forEach((value, node) => {
      if (value >= 0 && !inner(node)) often.set(value, (often.get(value) || 0) + size[node]);
    });
    const names = [...often].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([value]) => value);
    // classes have the colours that they have on other pages
    if (chosen.name === "class") names.sort((a, b) => a - b);
    const place = new Map(names.slice(0, COLOURS).map((value, i) => [value, `c${i}`]));
    return { of: (node) => place.get(chosen.top[node]) || "other", names, place, values: chosen.values };
  };
  const percent = (share) => `${Math.round(100 * share)}%`;
  const said = (node) => {
    const chosen = kind();
    return chosen && chosen.top[node] >= 0
      ? `${percent(chosen.share[node])} ${chosen.values[chosen.top[node]]}` : "";
  };
  const about = (node) => {
    const n = count(node);
    const parts = [`${size[node].toLocaleString("en")} words: ${words[node]}`];
    if (n > 1) parts.push(`${n} clusters`);
    if (said(node)) parts.push(said(node));
    parts.push(`merged at height ${height[node]}`);
    return parts.join("; ");
  };

  const go = (node, keep = true) => {
    view.node = node;
    draw();
    save(keep);
  };
  const save = (keep = false) => state.write({
    k: view.k === tree.k ? "" : view.k,
    node: view.node || (view.concept < 0 ? "" : 0),
    colour: view.colour === USUAL ? "" : view.colour || "none",
    concept: view.concept < 0 ? "" : view.concept,
  }, keep);

  const box = (node, top, bottom, scale, tone, closed) => {
    const from = node === view.node ? 0 : scale(height[parent[node]]);
    const to = closed ? 1 : scale(height[node]);
    const element = make("button", {
      type: "button", class: `node ${tone}${closed && open(node) ? " more" : ""}${closed && holds(node) ? " here" : ""}`,
      title: about(node), "aria-label": about(node), "data-node": node,
    });
    Object.assign(element.style, {
      left: `${100 * from}%`, width: `max(3px, calc(${100 * (to - from)}% - 1px))`,
      top: `${ROW * top}px`, height: `${ROW * (bottom - top) - 1}px`,
    });
    if (tone) element.style.setProperty("--share", percent(0.25 + 0.75 * kind().share[node]));
    element.addEventListener("click", () => inner(node) && go(node));
    return element;
  };

  const row = (node, place) => {
    const n = count(node);
    const own = concept[node];
    const label = make("div", holds(node) ? { class: "row here", "aria-current": "true" } : { class: "row" });
    label.style.top = `${ROW * place}px`;
    if (own >= 0) {
      const file = `${String(own).padStart(4, "0")}.html`;
      label.append(make("a", { href: file, class: "number" }, `concept ${own}`), " ");
    } else if (within(node) >= 0) {
      const file = `${String(within(node)).padStart(4, "0")}.html`;
      label.append(make("a", { href: file, class: "number" }, `in concept ${within(node)}`), " ");
    } else {
      label.append(make("span", { class: "number" }, n > 1 ? `${n} clusters` : "cluster"), " ");
    }
    label.append(make("bdi", {}, words[node]), " ");
    const more = [`${size[node].toLocaleString("en")} words`, said(node)].filter(Boolean).join(" · ");
    label.append(make("span", { class: "n" }, more));
    label.title = about(node);
    return label;
  };

  const draw = () => {
    clusters.clear();
    const opened = rows();
    const colour = coloured();
    const top = height[view.node];
    const last = [...opened].map((node) => height[node]).filter((h) => h > 0);
    const low = 0.9 * Math.min(top, ...last) || 1;
    // equal ratios of heights are equally long, or the first merges would take all the room
    const scale = (h) => (h < top ? Math.log(top / Math.max(h, low)) / Math.log(top / low) : 0);
    const bars = make("div", { class: "bars" });
    const labels = make("div", { class: "labels" });
    let place = 0;
    const walk = (node) => {
      const first = place;
      const spread = opened.has(node);
      if (spread) children[node].forEach(walk);
      else {
        labels.append(row(node, place));
        place += 1;
      }
      bars.append(box(node, first, place, scale, colour.of(node), !spread));
    };
    walk(view.node);
    const area = at("tree");
    area.style.height = `${ROW * place}px`;
    area.replaceChildren(bars, labels);
    at("k").value = view.k;
    at("k-shown").textContent = view.k;
    const inside = count(view.node);
    at("tree-count").textContent = `${place} of ${inside} clusters drawn` +
      (view.node ? `, ${size[view.node].toLocaleString("en")} of ${size[0].toLocaleString("en")} words` : "") +
      (place < inside ? "; striped boxes hold the others." : ".");
    here();
    way();
    legend(colour);
  };

  const here = () => {
    const note = at("tree-here");
    note.hidden = view.concept < 0;
    if (note.hidden) return;
    const file = `${String(view.concept).padStart(4, "0")}.html`;
    const away = concept.indexOf(view.concept);
    let inside = away;
    while (inside >= 0 && inside !== view.node) inside = parent[inside];
    const find = make("button", { type: "button" }, "Show it");
    find.addEventListener("click", () => {
      view.k = tree.k;
      go(around(view.concept));
    });
    note.replaceChildren("Marked: ", make("a", { href: file }, `concept ${view.concept}`),
      ` (${words[away]})`, ...(inside < 0 ? [", which is in another part of the tree. ", find] : ["."]));
  };

  const way = () => {
    const nodes = [];
    for (let node = view.node; node >= 0; node = parent[node]) nodes.unshift(node);
    const shown = nodes.length > 5 ? [nodes[0], ...nodes.slice(-4)] : nodes;
    at("way").replaceChildren(...shown.flatMap((node, i) => {
      const text = node === 0 ? "all words" : words[node].split(" ").slice(0, 3).join(" ");
      const element = node === view.node
        ? make("span", { "aria-current": "true" }, text) : make("button", { type: "button" }, make("bdi", {}, text));
      element.addEventListener("click", () => node !== view.node && go(node));
      const skipped = i === 1 && nodes.length > 5;
      return i ? [skipped ? " › … › " : " › ", element] : [element];
    }));
  };

  const legend = ({ names, place, values }) => {
    at("legend").replaceChildren(...(names.length ? [
      ...[...place].map(([value, tone]) => make("span", { class: "key" }, make("i", { class: tone }), make("bdi", {}, values[value]))),
      ...(names.length > COLOURS ? [make("span", { class: "key" }, make("i", { class: "other" }), "other")] : []),
      make("span", { class: "n" }, "the most frequent value in each cluster; paler where it is a smaller share"),
    ] : []));
  };

  const read = () => {
    const given = state.read();
    const number = (text, low, high, otherwise) => {
      const value = Number(text);
      return text !== undefined && Number.isInteger(value) && value >= low && value <= high ? value : otherwise;
    };
    view.k = number(given.k, 2, tree.leaves, tree.k);
    view.concept = concept.includes(Number(given.concept)) && given.concept >= 0 ? Number(given.concept) : -1;
    view.node = number(given.node, 0, children.length - 1, view.concept < 0 ? 0 : around(view.concept));
    const named = given.colour === "none" || kinds.some((one) => one.name === given.colour);
    view.colour = !named ? USUAL : given.colour === "none" ? "" : given.colour;
    at("colour").value = view.colour;
    draw();
    const kept = new URLSearchParams(given.colour && named ? { colour: given.colour } : {}).toString();
    for (const link of document.querySelectorAll("[data-keep]")) link.hash = kept;
  };

  at("colour").append(...[["", "none"], ...kinds.map((one) => [one.name, one.name])].map(([value, text]) => {
    const option = make("option", {}, text);
    option.value = value;
    return option;
  }));
  at("k").addEventListener("input", () => {
    view.k = Number(at("k").value);
    draw();
  });
  at("k").addEventListener("change", () => save());
  at("k-run").addEventListener("click", () => {
    view.k = tree.k;
    draw();
    save();
  });
  at("colour").addEventListener("change", () => {
    view.colour = at("colour").value;
    save();
    read();
  });
  at("tree").addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && view.node) {
      event.preventDefault();
      go(parent[view.node]);
      at("tree").querySelector("button")?.focus();
    }
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const layer = { ArrowLeft: "lower", ArrowRight: "higher" }[event.key];
    if (layer && at(layer)) at(layer).click();
  });
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
})();
