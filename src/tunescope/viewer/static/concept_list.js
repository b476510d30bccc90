// The list of a layer's concepts: sorted, filtered and searched; all of it is behind the #.
"use strict";
(() => {
  const { make, state, load } = tunescope;
  const at = (id) => document.getElementById(id);
  const form = at("filters");
  const body = at("concepts").tBodies[0];
  const rows = [...body.rows];
  const NAMES = ["fate", "follows", "word", "min", "label", "beside", "sort"];
  const MOST = 300; // concepts that a link to one of them can carry along
  const fields = new Map(NAMES.map((name) => [name, form.elements[name]]).filter(([, field]) => field));
  const values = () => Object.fromEntries([...fields].map(([name, field]) => [name, field.value.trim()]));
  const percent = (share) => `${Math.round(share)}%`;
  let shown = rows;

  // Concepts that have a word: all of the layer's words lie type by type.
  const withWord = async (sought) => {
    const [[forms, counts], [concepts]] = await Promise.all([load("../../types.js"), load("words.js")]);
    const found = new Set();
    let place = 0;
    forms.forEach((form, type) => {
      const next = place + counts[type];
      if (form.toLocaleLowerCase().includes(sought)) for (; place < next; place += 1) found.add(concepts[place]);
      place = next;
    });
    return found;
  };

  const bar = (parts) => {
    if (!parts.length) return [];
    const colours = parts.map(([, share, tone]) => {
      const part = make("i", { class: tone });
      part.style.width = `${share}%`;
      return part;
    });
    const [value, share, , followed] = parts[0];
    return [make("span", { class: "bar", "aria-hidden": "true" }, ...colours), " ",
      make(followed ? "b" : "span", {}, make("bdi", {}, value), ` ${percent(share)}`)];
  };

  // What another label column or another model beside says; the page itself has the first.
  let drawn = { label: "", beside: "" };
  const redraw = async (given) => {
    const wanted = { label: given.label || "", beside: given.beside || "" };
    if (wanted.label === drawn.label && wanted.beside === drawn.beside) return;
    const [labels, sides] = await load("list.js");
    const [name, bars] = labels.find(([one]) => one === wanted.label) || labels[0] || ["", []];
    const side = sides.find((one) => one.model === wanted.beside) || sides[0];
    for (const row of rows) {
      const n = Number(row.dataset.n);
      if (bars.length) {
        row.querySelector(".label").replaceChildren(...bar(bars[n]));
        row.dataset.label = bars[n].length ? bars[n][0][1] : -1;
      }
      if (side && wanted.beside !== drawn.beside) sideOf(row, n, side);
    }
    if (bars.length) {
      const tones = new Map(bars.flat().map(([value, , tone]) => [value, tone]).filter(([, tone]) => tone !== "other"));
      const key = [...tones].sort((a, b) => (a[1] < b[1] ? -1 : 1)).flatMap(([value, tone]) =>
        [make("span", { class: `share ${tone}` }, make("bdi", {}, value)), " "]);
      at("label-name").textContent = name;
      at("label-key").replaceChildren(make("span", { class: "legend" }, `${name}: `, ...key));
    }
    if (at("other")) at("other").textContent = side.model;
    drawn = wanted;
  };
  const sideOf = (row, n, side) => {
    Object.assign(row.dataset, {
      fate: side.fate[n], change: side.change[n], overlap: side.overlap[n] ?? 0, says: (side.follows[n] || []).join(" "),
    });
    const fate = side.fate[n]
      ? [make("span", { class: `fate ${side.fate[n]}` }, side.fate[n]), " ",
        ...(side.change[n] !== "kept" ? [make("span", { class: "n" }, side.change[n])] : [])]
      : [make("span", { class: "n" }, "too few word types")];
    row.cells[2].replaceChildren(...fate);
    const match = side.match[n];
    const href = `${tunescope.root}${side.folder}${String(match).padStart(4, "0")}.html`;
    row.cells[3].replaceChildren(...(match < 0 ? [] : [
      `${percent(100 * side.overlap[n])} in `, make("a", { href }, make("i", {}, match), " ", make("bdi", {}, side.title[n]))]));
    const said = row.querySelector(".said");
    if (said && side.said.length) {
      said.replaceChildren(...bar(side.said[n]));
      row.dataset.said = side.said[n].length ? side.said[n][0][1] : -1;
    }
  };

  const numbers = (text) => new Set((text || "").split(" "));
  let turn = 0;
  const show = async () => {
    const mine = (turn += 1);
    const given = values();
    const sought = (given.word || "").toLocaleLowerCase();
    const [found] = await Promise.all([sought ? withWord(sought) : null, redraw(given)]);
    if (mine !== turn) return; // something else was chosen meanwhile
    const option = fields.get("follows")?.selectedOptions[0]?.dataset.number;
    const passes = ({ dataset: row }) =>
      (!given.fate || given.fate === row.fate || given.fate === row.change) &&
      (!given.follows || numbers(row.follows).has(option) || numbers(row.says).has(option)) &&
      (!given.min || Number(row.size) >= Number(given.min)) &&
      (!found || found.has(Number(row.n)));
    const up = (given.sort || "").startsWith("-") ? 1 : -1;
    const key = (given.sort || "size").replace("-", "");
    const value = (row) => Number(row.dataset[key] ?? -1);
    shown = rows.filter(passes).sort((a, b) => up * (value(a) - value(b)) || a.dataset.n - b.dataset.n);
    const there = [...body.rows];
    if (there.length !== shown.length || there.some((row, n) => row !== shown[n])) body.replaceChildren(...shown);
    at("count").textContent = shown.length === rows.length
      ? `${rows.length} concepts` : `${shown.length} of ${rows.length} concepts`;
    for (const link of document.querySelectorAll("[data-keep]")) {
      link.hash = location.hash;
    }
  };

  const save = () => state.write(values());
  const read = () => {
    const given = state.read();
    for (const [name, field] of fields) {
      field.value = given[name] || "";
      if (field.selectedIndex === -1) field.value = "";
    }
    show();
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { save(); show(); });
  form.addEventListener("reset", () => setTimeout(() => { save(); show(); }));

  // A concept opened from a list is followed by the next of that list.
  const carry = (event) => {
    const link = event.target.closest?.("th a");
    if (!link || shown.length === rows.length && !values().sort) return;
    link.hash = new URLSearchParams({
      in: shown.slice(0, MOST).map((row) => row.dataset.n).join("."), from: location.hash.slice(1),
    });
  };
  for (const kind of ["pointerdown", "focusin"]) body.addEventListener(kind, carry);

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const here = shown.indexOf(document.activeElement.closest?.("tr"));
    if (step && (here >= 0 || event.key.length === 1)) {
      const next = shown[here < 0 ? 0 : here + step];
      if (!next) return;
      event.preventDefault();
      next.querySelector("a").focus();
    }
    const layer = { ArrowLeft: "lower", ArrowRight: "higher" }[event.key];
    if (layer && at(layer)) at(layer).click();
  });
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
})();
