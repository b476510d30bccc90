// The map of a layer: what is coloured, shown and chosen is behind the #; choosing is by word.
"use strict";
(async () => {
  const { make, state, load, root, panel } = tunescope;
  const at = (id) => document.getElementById(id);
  const { grid, layer, aligned } = JSON.parse(at("map-data").textContent);
  const [[{ contexts, columns }], [{ word: words, models }]] =
    await Promise.all([load("words.js"), load(`${layer}.js`)]);
  const form = at("map-controls");
  const fields = Object.fromEntries(["colour", "panels", "concept", "word"].map((name) => [name, form.elements[name]]));
  const TONES = ["--c0", "--c1", "--c2", "--c3", "--c4", "--c5", "--ink"];
  const FATES = [["retained", "--c0", 0], ["survived", "--c0", 0], ["lost", "--c5", 4], ["born", "--c4", 2]];
  const OTHER = ["other or none", "--soft", 0];
  const MOST = { concepts: 25, words: 60, contexts: 15, carried: 400 };
  const every = (n) => Array.from({ length: n }, (_, i) => i);
  const all = every(words.length);
  const places = models.map(({ x, y }) => all.map((i) => [x[i] / grid, y[i] / grid]));
  const forms = words.map((n) => contexts[n][1]);
  const members = models.map(({ concept }) => {
    const found = new Map();
    concept.forEach((c, i) => found.set(c, [...(found.get(c) || []), i]));
    return found;
  });
  const said = (n) => n.toLocaleString("en");
  const plural = (n, one, many = `${one}s`) => `${said(n)} ${n === 1 ? one : many}`;
  const number = (text, low, high) => Math.min(high, Math.max(low, Number(text)));
  let view = {};
  let hovered = null;
  let pointed = []; // words of the concept in the list that is pointed at
  let shownAll = {};

  // --- what colours mean: categories, each with a text, a colour and a shape, and that of a point
  const byFate = () => {
    const there = new Set(models.flatMap(({ concept, concepts }) => concept.map((c) => concepts.fate[c])));
    const met = FATES.filter(([fate]) => there.has(fate));
    const place = new Map(met.map(([fate], n) => [fate, n]));
    return { looks: [...met, OTHER], of: (m, i) => place.get(models[m].concepts.fate[models[m].concept[i]]) ?? met.length };
  };
  const byColumn = (column) => {
    const n = Math.min(column.names.length, TONES.length);
    const looks = every(n).map((c) => [column.names[c], TONES[c], c]);
    const code = words.map((w) => column.codes[w]).map((c) => (c < 0 || c >= n ? n : c));
    return { looks: [...looks, OTHER], of: (_, i) => code[i] };
  };
  const byModel = () => ({
    looks: models.map(({ name, role }, m) => [name, `--${role}`, m]), of: (m) => m,
  });
  const byConcept = () => {
    const chosen = conceptOf(view.concept);
    if (!chosen) return { looks: [["no concept chosen", "--soft", 0]], of: () => 0 };
    const { m, c } = chosen;
    const match = models[m].concepts.match?.[c] ?? -1;
    const here = `${c} of ${models[m].name}`;
    if (match < 0) return { looks: [[`in concept ${here}`, "--c5", 2], OTHER], of: (_, i) => Number(models[m].concept[i] !== c) };
    const there = `${match} of ${models[1 - m].name}`;
    const looks = [
      [`in ${here} and in ${there}, which holds most of it`, "--c0", 0],
      [`in ${here} alone`, "--c5", 4], [`in ${there} alone`, "--c4", 2], OTHER,
    ];
    const of = (_, i) => {
      const [one, other] = [models[m].concept[i] === c, models[1 - m].concept[i] === match];
      return one && other ? 0 : one ? 1 : other ? 2 : 3;
    };
    return { looks, of };
  };
  const has = models.every(({ concepts }) => concepts);
  const kinds = new Map([
    ...(aligned ? [["fate", ["fate of the concept", byFate]]] : []),
    ...columns.map((column) => [column.name, [column.title, () => byColumn(column)]]),
    ...(has ? [["concept", ["the chosen concept", byConcept]]] : []),
    ...(models.length > 1 || !columns.length ? [["model", ["model", byModel]]] : []),
  ]);
  const conceptOf = (text) => {
    const [role, c] = (text || "").split(":");
    const m = models.findIndex((model) => model.role === role);
    return m >= 0 && members[m].has(Number(c)) && has ? { m, c: Number(c) } : null;
  };

  // --- which words are chosen: null where nothing is asked for
  const within = ([x, y], line) => {
    let inside = false;
    line.forEach(([a, b], n) => {
      const [c, d] = line.at(n - 1);
      if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
    });
    return inside;
  };
  const sought = (text) => {
    const low = text.toLocaleLowerCase();
    const lower = forms.map((form) => form.toLocaleLowerCase());
    return lower.includes(low) ? lower.map((form) => form === low) : lower.map((form) => form.includes(low));
  };
  const choose = (colouring) => {
    const tests = [];
    if (view.lasso) {
      const roles = models.map((_, m) => m).filter((m) => ["over", models[m].role].includes(view.lasso.role));
      tests.push((i) => roles.some((m) => !view.off.has(colouring.of(m, i)) && within(places[m][i], view.lasso.line)));
    }
    const concept = conceptOf(view.concept);
    if (concept) tests.push((i) => models[concept.m].concept[i] === concept.c);
    if (view.word) { const found = sought(view.word); tests.push((i) => found[i]); }
    if (view.these) tests.push((i) => view.these.has(words[i]));
    return tests.length ? all.filter((i) => tests.every((test) => test(i))) : null;
  };

  // --- the panels
  const shown = () => (view.panels === "base" ? [0] : view.panels === "tuned" ? [1] : models.map((_, m) => m));
  const over = () => view.panels === "over";
  let panels = [];
  const build = () => {
    const groups = over() ? [shown()] : shown().map((m) => [m]);
    const name = JSON.stringify(groups);
    if (at("panels").dataset.groups === name) return;
    at("panels").dataset.groups = name;
    panels = groups.map((group) => {
      const title = group.map((m) => models[m].name).join(" and ");
      const canvas = make("canvas", { tabindex: "0", role: "img", "aria-describedby": "map-help",
        "aria-label": `Map of ${words.length} words in ${title}. Concepts and words are chosen above, and listed beside it.` });
      const role = group.length > 1 ? "over" : models[group[0]].role;
      const made = panel(canvas, {
        tool: () => view.tool,
        hover: (mark, event) => hover(mark, event),
        pick: (mark) => change(mark && has ? { concept: `${models[mark.m].role}:${models[mark.m].concept[mark.i]}`, lasso: null, these: null }
          : { concept: "", lasso: null, these: null }),
        encircle: (line) => change({ lasso: { role, line: thin(line) }, concept: "", these: null }),
        look: (look) => change({ look }, true),
        zoom,
      });
      canvas.addEventListener("keydown", keys);
      return { ...made, group, element: make("div", { class: "panel" }, make("h2", {}, make("bdi", {}, title)), canvas) };
    });
    at("panels").replaceChildren(...panels.map(({ element }) => element));
    at("panels").classList.toggle("one", panels.length === 1);
  };
  const thin = (line) => {
    const step = Math.ceil(line.length / 60);
    return line.filter((_, n) => n % step === 0).map(([x, y]) => [Math.round(x * 1000) / 1000, Math.round(y * 1000) / 1000]);
  };
  const zoom = (factor, around) => {
    const { x, y, k } = view.look;
    if (!factor) return change({ look: { x: 0.5, y: 0.5, k: 1 } });
    const next = number(k * factor, 1, 40);
    const [a, b] = around || [x, y];
    return change({ look: { x: a + ((x - a) * k) / next, y: b + ((y - b) * k) / next, k: next } }, true);
  };
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { x, y, k } = view.look;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way) change({ look: { x: x + way[0] * 0.1 / k, y: y + way[1] * 0.1 / k, k } }, true);
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") zoom(0);
    else if (event.key === "Escape") change({ lasso: null, concept: "", word: "", these: null });
    else return;
    event.preventDefault();
  };
  const paint = () => {
    const { colouring, chosen } = view;
    const style = getComputedStyle(document.documentElement);
    const tones = new Map();
    const tone = (name) => {
      if (!tones.has(name)) tones.set(name, style.getPropertyValue(name).trim());
      return tones.get(name);
    };
    const inside = chosen && new Set(chosen);
    const ringed = new Set([...pointed, ...(hovered === null ? [] : [hovered])]);
    for (const { draw, canvas, group } of panels) {
      canvas.style.touchAction = view.tool ? "none" : "pan-y";
      canvas.style.cursor = view.tool === "move" ? "grab" : "crosshair";
      const marks = group.flatMap((m) => all.filter((i) => !view.off.has(colouring.of(m, i))).map((i) => {
        const c = colouring.of(m, i);
        const [, name, shape] = colouring.looks[c];
        return { m, i, at: places[m][i], tone: tone(name), shape, hollow: group.length > 1 && m === 1,
          back: inside ? !inside.has(i) : false };
      }));
      const followed = group.length > 1 ? (chosen || []).concat(hovered === null ? [] : [hovered]) : [];
      draw({
        marks, look: view.look, ink: tone("--ink"),
        rings: group.flatMap((m) => [...ringed].map((i) => places[m][i])),
        lines: followed.slice(0, 600).map((i) => [places[0][i], places[1][i]]),
        lasso: view.lasso && ["over", ...group.map((m) => models[m].role)].includes(view.lasso.role)
          && (view.lasso.role === "over") === group.length > 1 ? view.lasso.line : [],
      });
    }
  };

  // --- what is pointed at
  const conceptSaid = (m, i) => {
    const { concept, concepts, name } = models[m];
    const c = concept[i];
    return make("div", {}, make("bdi", {}, name), `: concept ${c} `, make("bdi", { class: "n" }, concepts.title[c]),
      concepts.fate?.[c] ? ` (${concepts.fate[c]})` : "");
  };
  const hover = (mark, event) => {
    const now = mark ? mark.i : null;
    const tip = at("tip");
    if (mark) {
      const [before, word, after] = contexts[words[mark.i]];
      const values = columns.map(({ title, names, codes }) => [title, names[codes[words[mark.i]]]]).filter(([, value]) => value !== undefined);
      if (now !== hovered) {
        tip.replaceChildren(
          make("p", { dir: "auto" }, `${before} `, make("mark", {}, word), ` ${after}`),
          ...(has ? models.map((_, m) => conceptSaid(m, mark.i)) : []),
          ...values.map(([title, value]) => make("div", { class: "n" }, `${title}: `, make("bdi", {}, value))),
        );
      }
      tip.hidden = false;
      const box = tip.getBoundingClientRect();
      tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
      tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18}px`;
    } else tip.hidden = true;
    if (now !== hovered) { hovered = now; paint(); }
  };
  const point = (element, found) => {
    const ring = (these) => () => { pointed = these; paint(); };
    for (const kind of ["mouseenter", "focusin"]) element.addEventListener(kind, ring(found));
    for (const kind of ["mouseleave", "focusout"]) element.addEventListener(kind, ring([]));
  };

  // --- lists
  const rest = (name, n, most) => {
    if (n <= most || shownAll[name]) return [];
    const button = make("button", { type: "button", class: "more" }, `Show all ${said(n)}`);
    button.addEventListener("click", () => { shownAll[name] = true; lists(); });
    return [button];
  };
  const cut = (found, name, most) => (shownAll[name] ? found : found.slice(0, most));
  const conceptRow = (m, c, n) => {
    const { concepts, role } = models[m];
    const href = `${root}${concepts.folder}${String(c).padStart(4, "0")}.html`;
    const pressed = view.concept === `${role}:${c}`;
    const show = make("button", { type: "button", "aria-pressed": String(pressed), "aria-label": `Show concept ${c} on the map` }, "On map");
    show.addEventListener("click", () => change({ concept: pressed ? "" : `${role}:${c}`, lasso: null, these: null }));
    const fate = concepts.fate?.[c] ? [" ", make("span", { class: `fate ${concepts.fate[c]}` }, concepts.fate[c])]
      : concepts.counts[c] ? [] : [" ", make("span", { class: "n" }, "too few word types")];
    const drawn = members[m].get(c).length;
    const row = make("li", {}, make("a", { href }, make("i", {}, c), " ", make("bdi", {}, concepts.title[c])), ...fate,
      make("span", { class: "n" }, ` · ${view.chosen ? `${n} chosen, ` : ""}${drawn} of ${said(concepts.size[c])} drawn`), " ", show);
    point(row, members[m].get(c));
    return row;
  };
  const lists = () => {
    const { chosen, colouring } = view;
    const listed = chosen || all;
    const concept = conceptOf(view.concept);
    at("chosen-title").textContent = chosen
      ? `${plural(chosen.length, "word")} of ${said(all.length)} chosen` : `All ${said(all.length)} words drawn`;
    const order = concept ? [concept.m, ...models.keys()].filter((m, n, found) => found.indexOf(m) === n) : [...models.keys()];
    const parts = !has ? [] : order.map((m) => {
      const model = models[m];
      const counts = new Map();
      for (const i of listed) {
        if (!view.off.has(colouring.of(m, i))) counts.set(model.concept[i], (counts.get(model.concept[i]) || 0) + 1);
      }
      const found = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const where = models.length > 1 && chosen && concept ? (m === concept.m ? "" : "the same words are in ") : "";
      return make("section", {},
        make("h3", {}, "In ", make("bdi", {}, model.name), `: ${where}${plural(found.length, "concept")}`),
        make("ul", { class: "concepts" }, ...cut(found, `c${m}`, MOST.concepts).map(([c, n]) => conceptRow(m, c, n))),
        ...rest(`c${m}`, found.length, MOST.concepts));
    });
    at("concepts-of").replaceChildren(...parts);
    const counted = new Map();
    for (const i of listed) counted.set(forms[i], [...(counted.get(forms[i]) || []), i]);
    const types = [...counted].sort((a, b) => b[1].length - a[1].length);
    const chips = cut(types, "words", MOST.words).map(([word, found]) => {
      const pressed = view.word === word;
      const button = make("button", { type: "button", "aria-pressed": String(pressed) }, make("bdi", {}, word), ...(found.length > 1 ? [" ", make("i", {}, found.length)] : []));
      button.addEventListener("click", () => change({ word: pressed ? "" : word }));
      const item = make("li", {}, button);
      point(item, found);
      return item;
    });
    const none = chosen && !chosen.length
      ? [make("p", { class: "n" }, "No word that is drawn passes all that is asked for. Most words are not drawn: the pages about concepts have them all.")] : [];
    const sentences = chosen && chosen.length ? [
      make("h3", {}, "In their sentences"),
      make("ul", { class: "contexts" }, ...cut(chosen, "contexts", MOST.contexts).map((i) => {
        const [before, word, after] = contexts[words[i]];
        const item = make("li", { dir: "auto" }, `${before} `, make("mark", {}, word), ` ${after}`);
        point(item, [i]);
        return item;
      })), ...rest("contexts", chosen.length, MOST.contexts)] : [];
    at("words-of").replaceChildren(...none, make("h3", {}, plural(types.length, "different word")),
      make("ul", { class: "words offers" }, ...chips), ...rest("words", types.length, MOST.words), ...sentences);
  };
  const legend = () => {
    const { looks, of } = view.colouring;
    const counts = looks.map(() => 0);
    for (const m of shown()) for (const i of all) counts[of(m, i)] += 1;
    const NAMES = ["●", "■", "▲", "◆", "▼", "✚", "▶"];
    at("legend").replaceChildren(...looks.flatMap(([text, tone, shape], n) => {
      if (!counts[n] && text === OTHER[0]) return [];
      const button = make("button", { type: "button", "aria-pressed": String(!view.off.has(n)) },
        make("span", { class: "glyph", "aria-hidden": "true" }, NAMES[shape]), " ", make("bdi", {}, text), " ", make("i", {}, said(counts[n])));
      button.querySelector(".glyph").style.color = `var(${tone})`;
      button.addEventListener("click", () => {
        const off = new Set(view.off);
        if (!off.delete(n)) off.add(n);
        change({ off });
      });
      return [button];
    }));
  };

  // --- the state of the view
  const read = () => {
    const given = state.read();
    const [role, line] = (given.lasso || "").split("!");
    const corners = (line || "").split("_").map((pair) => pair.split(",").map(Number)).filter((pair) => pair.length === 2 && pair.every(Number.isFinite));
    const [x, y, k] = (given.look || "").split(",").map(Number);
    const these = (given.these || "").split(".").map((n) => parseInt(n, 36)).filter(Number.isFinite);
    const several = models.length > 1 && ["over", "base", "tuned"].includes(given.panels);
    view = {
      tool: view.tool ?? (matchMedia("(pointer: coarse)").matches ? "" : "lasso"),
      colour: kinds.has(given.colour) ? given.colour : [...kinds.keys()][0],
      panels: several ? given.panels : "",
      concept: conceptOf(given.concept) ? given.concept : "",
      word: given.word || "",
      off: new Set((given.off || "").split(".").filter(Boolean).map(Number)),
      lasso: corners.length > 2 ? { role, line: corners } : null,
      these: these.length ? new Set(these) : null,
      look: Number.isFinite(x + y + k) ? { x, y, k: number(k, 1, 40) } : { x: 0.5, y: 0.5, k: 1 },
    };
    show();
  };
  const written = () => {
    const { x, y, k } = view.look;
    const short = (value) => Math.round(value * 1000) / 1000;
    return {
      colour: view.colour === [...kinds.keys()][0] ? "" : view.colour, panels: view.panels,
      concept: view.concept, word: view.word, off: [...view.off].sort().join("."),
      lasso: view.lasso ? `${view.lasso.role}!${view.lasso.line.map((pair) => pair.join(",")).join("_")}` : "",
      these: view.these ? [...view.these].map((n) => n.toString(36)).join(".") : "",
      look: x === 0.5 && y === 0.5 && k === 1 ? "" : [x, y, k].map(short).join(","),
    };
  };
  // Words that are chosen stay chosen at the next layer, where concepts have other numbers.
  const carry = () => {
    const { colour, panels: together, word, off, these } = written();
    const few = view.chosen && view.chosen.length <= MOST.carried && (view.lasso || conceptOf(view.concept));
    const kept = { colour, panels: together, word, off: colour === "concept" ? "" : off,
      these: few ? view.chosen.map((i) => words[i].toString(36)).join(".") : these };
    const given = Object.entries(kept).filter(([, value]) => value);
    for (const link of document.querySelectorAll("[data-keep]")) link.hash = new URLSearchParams(given);
  };
  let soon = 0;
  const change = (values, quick = false) => {
    if (values.colour && values.colour !== view.colour) values.off = new Set();
    if (values.concept && !view.concept && view.colour !== "concept" && !values.colour) shownAll = {};
    Object.assign(view, values);
    if (quick) { // while the map is moved, only what moves
      cancelAnimationFrame(soon);
      soon = requestAnimationFrame(() => { paint(); state.write(written()); });
    } else { state.write(written()); show(); }
  };
  const show = () => {
    view.colouring = kinds.get(view.colour)[1]();
    view.chosen = choose(view.colouring);
    for (const [name, field] of Object.entries(fields)) if (field) field.value = view[name];
    for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === view.tool));
    build();
    legend();
    lists();
    paint();
    carry();
  };

  fields.colour.append(...[...kinds].map(([value, [text]]) => make("option", { value }, text)));
  if (has) {
    for (const [m, { name, role, concepts }] of models.entries()) {
      const options = [...members[m].keys()].sort((a, b) => a - b).map((c) => make("option", { value: `${role}:${c}` },
        `${c} · ${concepts.title[c].slice(0, 40)} (${plural(concepts.size[c], "word")}${concepts.fate?.[c] ? `, ${concepts.fate[c]}` : ""})`));
      fields.concept.append(make("optgroup", { label: name }, ...options));
    }
  } else fields.concept.closest("label").hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    const chosen = target.name === "concept" ? { lasso: null, these: null } : {};
    change({ [target.name]: target.value, ...chosen });
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    shownAll = {};
    change({ colour: [...kinds.keys()][0], panels: "", concept: "", word: "", off: new Set(), lasso: null, these: null, look: { x: 0.5, y: 0.5, k: 1 } });
  });
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => change({ tool: view.tool === button.dataset.tool ? "" : button.dataset.tool }));
  }
  for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
  at("save-view").addEventListener("click", () => {
    const sources = panels.map(({ canvas }) => canvas);
    const whole = make("canvas", {});
    whole.width = sources.reduce((sum, { width }) => sum + width, 0);
    whole.height = Math.max(...sources.map(({ height }) => height));
    const context = whole.getContext("2d");
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, whole.width, whole.height);
    sources.reduce((x, source) => { context.drawImage(source, x, 0); return x + source.width; }, 0);
    whole.toBlob((blob) => {
      const link = make("a", { href: URL.createObjectURL(blob), download: `${layer}-view.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
  document.documentElement.dataset.map = "drawn";
})();
