// All triggers that were tried: filtered and sorted; what is chosen is behind the #.
"use strict";
(async () => {
  const { make, load, state, root } = tunescope;
  const at = (id) => document.getElementById(id);
  const table = at("tried");
  const form = at("tried-controls");
  const folders = JSON.parse(at("tried-folders").textContent);
  const body = table.tBodies[0];
  const heads = [...table.tHead.querySelectorAll("th[data-name]")];
  const STEP = 50;
  const SHARES = ["difference", "flip_rate", "held_out"];
  const SIGN = { up: "ascending", down: "descending" };

  let data;
  try {
    [data] = await load(table.dataset.source);
  } catch (error) {
    at("tried-count").textContent = `${error.message}: the CSV has all triggers.`;
    return;
  }
  const kind = (name, i) => data[name][0][data[name][1][i]];
  const every = data.trigger.map((_, i) => i);
  for (const name of ["towards", "method", "where"]) {
    for (const value of data[name][0]) form.elements[name].append(make("option", {}, value));
    if (data[name][0].length < 2) form.elements[name].parentElement.hidden = true;
  }
  for (const layer of [...new Set(data.layer)].filter((n) => n >= 0).sort((a, b) => a - b)) {
    form.elements.layer.append(make("option", {}, String(layer)));
  }

  const percent = (share) => `${Math.round(100 * share)}%`;
  const points = (share) => `${share > 0 ? "+" : share < 0 ? "−" : ""}${Math.abs(100 * share).toFixed(1)}`;
  const OWN = "concepts of the class"; // what the page is about, unless all else is asked for
  const method = data.method[0].includes(OWN) ? OWN : "any";
  const given = () => ({ sort: "difference", way: "down", method, ...state.read() });
  const keep = (values, push = false) => state.write({ ...state.read(), ...values }, push);

  const passes = (wanted) => {
    const word = (wanted.word || "").toLocaleLowerCase();
    const is = (name) => (i) => !wanted[name] || wanted[name] === "any" || kind(name, i) === wanted[name];
    const kinds = ["towards", "method", "where"].map(is);
    return (i) => kinds.every((test) => test(i))
      && (!wanted.layer || String(data.layer[i]) === wanted.layer)
      && (!wanted.concept || `${data.layer[i]}-${data.concept[i]}` === wanted.concept)
      && (!word || data.trigger[i].toLocaleLowerCase().includes(word));
  };
  const sorted = (rows, { sort, way }) => {
    const sign = way === "up" ? 1 : -1;
    const value = (i) => (["towards", "method"].includes(sort) ? kind(sort, i) : (data[sort] || data.difference)[i]);
    return rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null); // what is not known comes last
      return sign * (typeof x === "string" ? x.localeCompare(y) : x - y) || a - b;
    });
  };

  const rate = (share, low, high, more) => (share === null ? [] : [
    make("span", { class: "bar", "aria-hidden": "true" }), `${percent(share)} `,
    make("span", { class: "n" }, `${percent(low)} to ${percent(high)}${more}`),
  ]);
  const cell = (content, className = "") => make("td", className ? { class: className } : {}, ...[content].flat());
  const source = (i) => {
    const [layer, concept] = [data.layer[i], data.concept[i]];
    if (concept < 0) return kind("method", i);
    const text = `concept ${concept} at layer ${layer}`;
    const name = String(concept).padStart(4, "0");
    return layer in folders ? make("a", { href: `${root}${folders[layer]}${name}.html` }, text) : text;
  };
  const row = (i) => {
    const difference = data.difference[i];
    const made = make("tr", {},
      cell(difference === null ? "" : points(difference), "number"),
      cell(rate(data.flip_rate[i], data.low[i], data.high[i], `, ${data.flipped[i]} of ${data.n[i]}`), "rate"),
      cell(make("bdi", {}, data.trigger[i]), "trigger"),
      cell([make("bdi", {}, kind("towards", i)), ...(data.where[0].length > 1 ? [" ", make("span", { class: "n" }, kind("where", i))] : [])]),
      cell(source(i)),
      cell(rate(data.held_out[i], data.held_out_low[i], data.held_out_high[i], ""), "rate"));
    const shares = [null, data.flip_rate[i], null, null, null, data.held_out[i]];
    shares.forEach((share, n) => {
      const bar = share !== null && made.cells[n].querySelector(".bar");
      if (bar) bar.style.width = `${100 * share}%`;
    });
    if (table.dataset.try) {
      const button = make("button", { type: "button", "aria-label": `Try ${data.trigger[i]}` }, "Try");
      button.addEventListener("click", () => dispatchEvent(new CustomEvent("try-trigger", { detail: data.trigger[i] })));
      made.append(cell(button));
    }
    return made;
  };

  let shown = [];
  const more = () => {
    const n = body.rows.length;
    body.append(...shown.slice(n, n + STEP).map(row));
    at("tried-more").hidden = body.rows.length >= shown.length;
  };
  const draw = () => {
    const wanted = given();
    shown = sorted(every.filter(passes(wanted)), wanted);
    body.replaceChildren();
    more();
    at("tried-count").textContent = `${shown.length.toLocaleString("en")} of ${every.length.toLocaleString("en")} triggers`;
    const chip = at("tried-concept");
    chip.hidden = !wanted.concept;
    const [layer, concept] = (wanted.concept || "-").split("-");
    chip.textContent = `of concept ${concept} at layer ${layer} ✕`;
    for (const head of heads) {
      const own = head.dataset.name === wanted.sort;
      head.setAttribute("aria-sort", own ? SIGN[wanted.way] || "descending" : "none");
    }
  };
  const fill = () => {
    const wanted = given();
    for (const name of ["towards", "method", "where", "layer", "word"]) form.elements[name].value = wanted[name] || "";
    draw();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    keep({ [event.target.name]: event.target.value });
    draw();
  });
  at("tried-concept").addEventListener("click", () => { keep({ concept: "" }, true); draw(); });
  at("tried-more").addEventListener("click", more);
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const { sort, way } = given();
      const name = head.dataset.name;
      const first = SHARES.includes(name) ? "down" : "up";
      keep({ sort: name, way: sort !== name ? first : way === "up" ? "down" : "up" });
      draw();
    });
  }
  addEventListener("hashchange", fill);
  addEventListener("popstate", fill);
  form.hidden = table.hidden = false;
  fill();
})();
