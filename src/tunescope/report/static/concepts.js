// The concept browser. Text from data enters the page as text nodes only.
"use strict";
(() => {
  const source = JSON.parse(document.getElementById("browser-data").textContent);
  const at = (id) => document.getElementById(id);
  if (!at("concepts")) return;
  const { views, clusterings, corpora, fates } = source;
  const MOST_CONTEXTS = 15;
  const MOST_TYPES = 40;
  const WINDOW = 14; // words shown on either side, in long sentences
  const TOP = 6;
  const PALETTE = 6; // class colours in the style sheet
  const state = { view: 0, layer: 0, concept: null, fate: "", follows: "", sort: "size", search: "" };
  const severalPairs = new Set(views.map((view) => view.pair)).size > 1;
  let shown = []; // concepts of this view and layer, before filters

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const word = (text) => make("bdi", { class: "word", dir: "auto" }, text);
  const percent = (share) => `${Math.round(100 * share)}%`;
  const option = (value, text) => {
    const element = make("option", {}, text);
    element.value = value;
    return element;
  };
  const clustering = () => clusterings[views[state.view].clustering];
  const corpus = () => corpora[clustering().corpus];

  // Concepts of one layer of one view: their words, counted.
  const concepts = (viewNumber, layerNumber) => {
    const view = views[viewNumber];
    const { concepts: byLayer, minTypes } = clusterings[view.clustering];
    const { type } = corpora[clusterings[view.clustering].corpus];
    const facts = view.layers && view.layers[layerNumber];
    const made = [];
    byLayer[layerNumber].forEach((number, row) => {
      (made[number] ??= { number, rows: [], counts: new Map() }).rows.push(row);
      made[number].counts.set(type[row], (made[number].counts.get(type[row]) || 0) + 1);
    });
    for (const concept of made) {
      const n = concept.number;
      concept.words = [...concept.counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      concept.small = concept.words.length < minTypes;
      if (!facts) continue;
      concept.fate = fates[facts.fate[n]];
      concept.match = facts.match[n];
      concept.overlap = facts.overlap[n];
      concept.class = facts.class[n];
      concept.classShare = facts.classShare[n];
      concept.polarised = facts.polarised[n];
      concept.labels = view.labels.map((column, i) => ({
        column, name: facts.label[i][n], share: facts.labelShare[i][n], aligned: facts.aligned[i][n],
      }));
    }
    return made;
  };
  const bestLabel = (concept) =>
    (concept.labels || []).reduce((best, l) => (l.name !== null && l.share > (best?.share ?? -1) ? l : best), null);

  // The address holds what is looked at.
  const readAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    if (!given.has("view")) return false;
    const number = (name, n) => {
      const value = Number(given.get(name));
      return Number.isInteger(value) && value >= 0 && value < n ? value : 0;
    };
    state.view = number("view", views.length);
    const { layers } = clustering();
    state.layer = Math.max(0, layers.indexOf(Number(given.get("layer"))));
    state.concept = given.has("concept") ? Number(given.get("concept")) : null;
    for (const name of ["fate", "follows", "search"]) state[name] = given.get(name) || "";
    state.sort = given.get("sort") || "size";
    return true;
  };
  const writeAddress = (keep) => {
    const held = new URLSearchParams({ view: state.view, layer: clustering().layers[state.layer] });
    if (state.concept !== null) held.set("concept", state.concept);
    for (const name of ["fate", "follows", "search"]) if (state[name]) held.set(name, state[name]);
    if (state.sort !== "size") held.set("sort", state.sort);
    history[keep ? "pushState" : "replaceState"](null, "", `#${held}`);
  };

  const fillControls = () => {
    at("view").replaceChildren(...views.map((view, i) => {
      const { model, corpus: number } = clusterings[view.clustering];
      return option(i, `${model} · ${corpora[number].name}${severalPairs ? ` (${view.pair})` : ""}`);
    }));
    at("view").value = state.view;
    at("layer").replaceChildren(...clustering().layers.map((layer, i) => option(i, layer)));
    at("layer").value = state.layer;
    at("lower").disabled = state.layer === 0;
    at("higher").disabled = state.layer === clustering().layers.length - 1;
    const found = new Set(shown.map((concept) => concept.fate).filter(Boolean));
    at("fate").replaceChildren(option("", "any"), ...fates.filter((f) => found.has(f)).map((f) => option(f, f)));
    at("fate").disabled = !found.size;
    const follows = [option("", "anything")];
    const { classes } = corpus();
    if (views[state.view].layers && classes.length) follows.push(option("c", "a class of the task"));
    if (views[state.view].layers) classes.forEach((name, i) => follows.push(option(`c${i}`, `class ${name}`)));
    views[state.view].labels.forEach((column, i) => {
      follows.push(option(`l${i}`, `a label of ${column}`));
      const names = new Set(shown.map((c) => c.labels?.[i]).filter((l) => l?.aligned).map((l) => l.name));
      [...names].sort().forEach((name) => follows.push(option(`l${i}:${name}`, `${column}: ${name}`)));
    });
    at("follows").replaceChildren(...follows);
    for (const name of ["fate", "follows"]) {
      at(name).value = state[name];
      if (at(name).selectedIndex < 0) at(name).value = state[name] = "";
    }
    at("sort").value = state.sort;
    if (at("sort").selectedIndex < 0) at("sort").value = state.sort = "size";
    at("search").value = state.search;
  };

  const follows = (concept) => {
    const wanted = state.follows;
    if (!wanted) return true;
    if (wanted[0] === "c") {
      return concept.polarised && (wanted === "c" || concept.class === corpus().classes[Number(wanted.slice(1))]);
    }
    const [column, ...name] = wanted.slice(1).split(":");
    const label = concept.labels?.[Number(column)];
    return label?.aligned && (!name.length || label.name === name.join(":"));
  };
  const KEYS = {
    size: (concept) => concept.rows.length,
    class: (concept) => concept.classShare ?? -1,
    label: (concept) => bestLabel(concept)?.share ?? -1,
    overlap: (concept) => concept.overlap ?? -1,
  };
  const chosen = () => {
    const { types } = corpus();
    const sought = state.search.toLocaleLowerCase();
    const hit = (concept) => concept.words.some(([type]) => types[type].toLocaleLowerCase().includes(sought));
    return shown
      .filter((c) => (!state.fate || c.fate === state.fate) && follows(c) && (!sought || hit(c)))
      .sort((a, b) => KEYS[state.sort](b) - KEYS[state.sort](a) || a.number - b.number);
  };

  const bar = (concept) => {
    const number = corpus().classes.indexOf(concept.class);
    const fill = make("span", { class: `fill class-${number % PALETTE}` });
    fill.style.width = percent(concept.classShare);
    return make("span", { class: "share" }, make("span", { class: "bar", "aria-hidden": "true" }, fill),
      `${percent(concept.classShare)} `, word(concept.class));
  };
  const badges = (concept) => {
    const found = [];
    if (concept.fate) found.push(make("span", { class: `fate ${concept.fate}` }, concept.fate));
    if (concept.small) found.push(make("span", { class: "fate small" }, "too few types to count"));
    if (concept.class) found.push(bar(concept));
    const label = bestLabel(concept);
    if (label) found.push(make("span", { class: label.aligned ? "label aligned" : "label" }, word(label.name), ` ${percent(label.share)}`));
    return found;
  };
  const jump = (concept) => {
    const view = views[state.view];
    if (view.other === null || !(concept.match >= 0)) return null;
    const other = views[view.other];
    const link = make("a", { class: "partner", href: "#" });
    const held = new URLSearchParams({ view: view.other, layer: clustering().layers[state.layer], concept: concept.match });
    link.href = `#${held}`;
    link.append(`${percent(concept.overlap)} in ${clusterings[other.clustering].model}\u00a0${concept.match}`);
    link.title = "The concept of the other model that holds most of this one, and how much";
    return link;
  };

  const drawList = () => {
    const { types } = corpus();
    const found = chosen();
    const listed = found.map((concept, place) => {
      const top = concept.words.slice(0, TOP).flatMap(([type], i) => [i ? " " : "", word(types[type])]);
      const current = concept.number === state.concept;
      const button = make("button", { type: "button", tabindex: current || (!place && state.concept === null) ? 0 : -1 },
        make("span", { class: "head" }, make("span", { class: "number" }, `${concept.number}`), ...top),
        make("span", { class: "meta" }, `${concept.rows.length} words, ${concept.words.length} types`, ...badges(concept)));
      if (current) button.setAttribute("aria-current", "true");
      button.dataset.concept = concept.number;
      const item = make("li", {}, button);
      const link = jump(concept);
      if (link) item.append(link);
      return item;
    });
    at("list").replaceChildren(...listed);
    if (found.length && !at("list").querySelector('button[tabindex="0"]')) at("list").querySelector("button").tabIndex = 0;
    at("count").textContent = `${found.length} of ${shown.length} concepts`;
  };

  // One sentence, with the words of the concept that stand in it marked.
  const context = ([sentence, positions]) => {
    const { sentences, classes, class: ofSentence } = corpus();
    const words = sentences[sentence];
    const start = Math.max(0, positions[0] - WINDOW);
    const stop = Math.min(words.length, positions[0] + WINDOW + 1);
    const text = make("p", { dir: "auto", class: "context" });
    if (start) text.append("… ");
    for (let place = start; place < stop; place += 1) {
      if (place > start) text.append(" ");
      text.append(positions.includes(place) ? make("mark", {}, words[place]) : words[place]);
    }
    if (stop < words.length) text.append(" …");
    const item = make("li", {}, text);
    const number = ofSentence[sentence];
    if (number >= 0) item.append(make("span", { class: `tag class-${number % PALETTE}` }, word(classes[number])));
    return item;
  };
  const bySentence = (rows) => {
    const { sentence, position } = corpus();
    const found = new Map();
    for (const row of rows) {
      if (!found.has(sentence[row])) found.set(sentence[row], []);
      found.get(sentence[row]).push(position[row]);
    }
    return [...found];
  };
  const drawDetail = () => {
    const concept = shown[state.concept];
    if (!concept) {
      at("detail").replaceChildren(make("p", { class: "empty" }, "Choose a concept to see its words and where they stand."));
      return;
    }
    const { types, type } = corpus();
    const { model, layers } = clustering();
    const contexts = make("ul", { class: "contexts" });
    let filter = null;
    const more = make("button", { type: "button", class: "more" }, "Show all");
    const drawContexts = (all) => {
      const rows = filter === null ? concept.rows : concept.rows.filter((row) => type[row] === filter);
      const found = bySentence(rows);
      contexts.replaceChildren(...found.slice(0, all ? found.length : MOST_CONTEXTS).map(context));
      more.hidden = all || found.length <= MOST_CONTEXTS;
      more.textContent = `Show all ${found.length} sentences`;
    };
    more.addEventListener("click", () => drawContexts(true));
    const words = make("ul", { class: "words" });
    const wordItem = ([number, count]) => {
      const button = make("button", { type: "button", "aria-pressed": "false" }, word(types[number]), make("span", { class: "n" }, ` ${count}`));
      button.addEventListener("click", () => {
        filter = filter === number ? null : number;
        for (const other of words.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", String(filter === number));
        drawContexts(false);
      });
      return make("li", {}, button);
    };
    const drawWords = (some) => {
      words.replaceChildren(...some.map(wordItem));
      const rest = concept.words.length - some.length;
      if (!rest) return;
      const all = make("button", { type: "button", class: "rest" }, `and ${rest} more`);
      all.addEventListener("click", () => drawWords(concept.words));
      words.append(make("li", {}, all));
    };
    drawWords(concept.words.slice(0, MOST_TYPES));
    const back = make("button", { type: "button", class: "back" }, "Back to the list");
    back.addEventListener("click", () => at("list").querySelector('[tabindex="0"]')?.focus());
    const facts = make("p", { class: "meta" }, `${concept.rows.length} words, ${concept.words.length} types`, ...badges(concept));
    const link = jump(concept);
    if (link) facts.append(link);
    const labels = (concept.labels || []).filter((l) => l.name !== null);
    at("detail").replaceChildren(
      make("h3", {}, `Concept ${concept.number} · ${model}, layer ${layers[state.layer]}`), facts,
      ...(labels.length > 1 ? [make("p", {}, ...labels.flatMap((l, i) => [i ? " · " : "", `${l.column}: `, word(l.name), ` ${percent(l.share)}`]))] : []),
      make("h4", {}, "Words"), words, make("h4", {}, "In their sentences"), contexts, more, back);
    drawContexts(false);
  };

  const draw = () => {
    shown = concepts(state.view, state.layer);
    if (state.concept !== null && !shown[state.concept]) state.concept = null;
    fillControls();
    drawList();
    drawDetail();
  };
  const open = (number) => {
    state.concept = number;
    writeAddress(true);
    for (const button of at("list").querySelectorAll("button")) {
      const current = Number(button.dataset.concept) === number;
      button.toggleAttribute("aria-current", current);
      if (current) button.setAttribute("aria-current", "true");
      button.tabIndex = current ? 0 : -1;
    }
    drawDetail();
    at("detail").scrollTop = 0;
    if (matchMedia("(max-width: 760px)").matches) {
      at("detail").scrollIntoView({ block: "start" });
      at("detail").focus({ preventScroll: true });
    }
  };
  const change = (values) => {
    Object.assign(state, values);
    writeAddress(false);
    draw();
  };

  at("list").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) open(Number(button.dataset.concept));
  });
  at("list").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...at("list").querySelectorAll("button")];
    const next = step && buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    for (const button of buttons) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("view").addEventListener("change", () => {
    const layer = clustering().layers[state.layer];
    const view = Number(at("view").value);
    const place = clusterings[views[view].clustering].layers.indexOf(layer);
    change({ view, layer: Math.max(0, place), concept: null, fate: "", follows: "" });
  });
  at("layer").addEventListener("change", () => change({ layer: Number(at("layer").value), concept: null }));
  at("lower").addEventListener("click", () => change({ layer: state.layer - 1, concept: null }));
  at("higher").addEventListener("click", () => change({ layer: state.layer + 1, concept: null }));
  for (const name of ["fate", "follows", "sort"]) {
    at(name).addEventListener("change", () => change({ [name]: at(name).value }));
  }
  at("search").addEventListener("input", () => {
    state.search = at("search").value;
    writeAddress(false);
    drawList();
  });
  addEventListener("hashchange", () => {
    if (!readAddress()) return;
    draw();
    at("concepts").scrollIntoView();
  });
  addEventListener("popstate", () => readAddress() && draw());
  const linked = readAddress();
  if (!linked) state.layer = clustering().layers.length - 1;
  if (!linked && views[0].other !== null) state.view = views[0].other; // the tuned model's top layer
  draw();
  if (linked) at("concepts").scrollIntoView();
  if (!linked) { // something to look at: the largest concept that follows a class, else the largest
    state.concept = (chosen().find((concept) => concept.polarised) || chosen()[0]).number;
    draw();
  }
})();
