// The neuron browser. Text from data enters the page as text nodes only.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  if (!at("neurons")) return;
  const { scale, corpora, groups } = JSON.parse(at("neuron-data").textContent);
  const WINDOW = 16; // words shown on either side, in long sentences
  const TOP = 6;
  const MOST_TAGS = 18;
  const SIDES = ["Highest activations", "Lowest activations"];
  const TURNS = /[\u202a-\u202e\u2066-\u2069]/; // characters that turn the direction of what follows
  const state = { group: 0, neuron: "", layer: "", tag: "", sort: "place", search: "", label: 0 };
  let numbers = false; // whether values stand beside the words

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const word = (text) => make("bdi", { class: "word", dir: "auto" }, text);
  const option = (value, text) => {
    const element = make("option", {}, text);
    element.value = value;
    return element;
  };
  const group = () => groups[state.group];
  const corpus = () => corpora[group().corpus];
  const address = (neuron) => `${neuron.layer}:${neuron.index}`;
  const named = (name) => group().neurons.find((neuron) => address(neuron) === name);
  const signed = (z) => {
    const size = (Math.abs(z) / 100).toFixed(1);
    return size === "0.0" ? size : `${z < 0 ? "−" : "+"}${size}`;
  };
  const activation = (neuron, z) => { // as many decimals as show two digits of the deviation
    const digits = neuron.sd ? Math.min(20, Math.max(0, 1 - Math.floor(Math.log10(neuron.sd)))) : 3;
    return (neuron.mean + (z / 100) * neuron.sd).toFixed(digits).replace("-", "−");
  };
  const colour = (z) => {
    const share = Math.min(Math.abs(z) / 100 / scale.full, 1);
    return `rgba(${(z > 0 ? scale.high : scale.low).join(",")},${(scale.strongest * share).toFixed(3)})`;
  };
  const row = (neuron, label, tag) => (neuron.values[label] || []).find((values) => values[0] === tag);
  const separation = (values) => (values && values[7] !== null ? Math.max(values[7], 1000 - values[7]) : -1);

  // The address holds what is looked at; its keys are not those of the concept browser.
  const readAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    if (!given.has("nview")) return false;
    const number = Number(given.get("nview"));
    state.group = Number.isInteger(number) && groups[number] ? number : 0;
    state.neuron = named(given.get("neuron")) ? given.get("neuron") : "";
    state.label = Math.max(0, group().labels.indexOf(given.get("nlabel")));
    for (const name of ["layer", "tag", "search"]) state[name] = given.get(`n${name}`) || "";
    state.sort = given.get("nsort") || "place";
    return true;
  };
  const held = (values) => {
    const all = { ...state, ...values };
    const given = new URLSearchParams({ nview: all.group });
    if (all.neuron) given.set("neuron", all.neuron);
    if (all.label) given.set("nlabel", groups[all.group].labels[all.label]);
    for (const name of ["layer", "tag", "search"]) if (all[name] !== "") given.set(`n${name}`, all[name]);
    if (all.sort !== "place") given.set("nsort", all.sort);
    return `#${given}`;
  };
  const writeAddress = (keep) => history[keep ? "pushState" : "replaceState"](null, "", held({}));

  const fillControls = () => {
    at("neuron-group").replaceChildren(...groups.map((g, i) => option(i, `${g.model} · ${corpora[g.corpus].name}`)));
    at("neuron-group").value = state.group;
    const layers = [...new Set(group().neurons.map((neuron) => neuron.layer))].sort((a, b) => a - b);
    at("neuron-layer").replaceChildren(option("", "all"), ...layers.map((layer) => option(layer, layer)));
    const tags = new Map();
    for (const neuron of group().neurons) for (const [label, tag] of neuron.for) tags.set(`${label}:${tag}`, [label, tag]);
    const listed = [...tags].map(([value, [label, tag]]) => [value, label, group().tags[label][tag]]);
    listed.sort((a, b) => a[1] - b[1] || (a[2] < b[2] ? -1 : 1));
    at("neuron-tag").replaceChildren(option("", "anything"), ...listed.map(([value, label, name]) => option(value, `${group().labels[label]}: ${name}`)));
    for (const name of ["layer", "tag", "sort"]) {
      const field = at(`neuron-${name}`);
      field.value = state[name];
      if (field.selectedIndex < 0) field.value = state[name] = name === "sort" ? "place" : "";
    }
    at("neuron-search").value = state.search;
  };

  const tagOf = (neuron) => neuron.for.find(([label, tag]) => state.tag === `${label}:${tag}`) || neuron.for[0];
  const KEYS = {
    place: () => 0,
    auc: (neuron) => -separation(tagOf(neuron) && row(neuron, tagOf(neuron)[0], tagOf(neuron)[1])),
    rank: (neuron) => (tagOf(neuron) && tagOf(neuron)[2]) || Infinity,
  };
  const found = () => {
    const sought = state.search.toLocaleLowerCase();
    const key = (neuron) => KEYS[state.sort](neuron);
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    return group().neurons
      .filter((neuron) => state.layer === "" || neuron.layer === Number(state.layer))
      .filter((neuron) => !state.tag || neuron.for.some(([label, tag]) => state.tag === `${label}:${tag}`))
      .filter((neuron) => !sought || address(neuron) === sought || neuron.words.some(([text]) => text.toLocaleLowerCase().includes(sought)))
      .sort((a, b) => compare(key(a), key(b)) || a.layer - b.layer || a.index - b.index);
  };

  const badge = (neuron, [label, tag, rank]) => {
    const values = row(neuron, label, tag);
    const text = make("span", { class: "label" }, `${group().labels[label]} `, word(group().tags[label][tag]));
    if (values && values[7] !== null) text.append(` AUC ${(values[7] / 1000).toFixed(2)}`);
    if (rank) text.append(`, rank ${rank}`);
    return text;
  };
  const coloured = ([text, , z]) => {
    const element = word(text);
    element.style.background = colour(z);
    element.classList.add("filled");
    return element;
  };
  const drawList = () => {
    const shown = found();
    const items = shown.map((neuron) => {
      const top = neuron.words.slice(0, TOP).flatMap((entry, i) => [i ? " " : "", coloured(entry)]);
      const button = make("button", { type: "button", tabindex: -1 },
        make("span", { class: "head" }, make("span", { class: "number" }, address(neuron)), ...top),
        make("span", { class: "meta" }, ...neuron.for.slice(0, 3).map((entry) => badge(neuron, entry))));
      button.dataset.neuron = address(neuron);
      return make("li", {}, button);
    });
    at("neuron-list").replaceChildren(...items);
    at("neuron-count").textContent = `${shown.length} of ${group().neurons.length} neurons`;
    markCurrent();
  };
  const markCurrent = () => {
    const buttons = [...at("neuron-list").querySelectorAll("button")];
    for (const button of buttons) {
      const current = button.dataset.neuron === state.neuron;
      button.removeAttribute("aria-current");
      if (current) button.setAttribute("aria-current", "true");
      button.tabIndex = current ? 0 : -1;
    }
    if (buttons.length && !buttons.some((button) => button.tabIndex === 0)) buttons[0].tabIndex = 0;
  };

  // One sentence with its words coloured, in the direction of its script.
  const context = (neuron) => ([sentence, position, deviations]) => {
    const words = corpus().sentences[sentence];
    const start = Math.max(0, position - WINDOW);
    const stop = Math.min(words.length, position + WINDOW + 1);
    const text = make("p", { dir: corpus().rtl[sentence] ? "rtl" : "ltr", class: "context" });
    if (start) text.append("… ");
    for (let place = start; place < stop; place += 1) {
      if (place > start) text.append(" ");
      const z = deviations[place];
      const element = make(TURNS.test(words[place]) ? "bdi" : "span", { class: "filled" }, words[place]);
      if (z === null) element.title = "no activation";
      else {
        element.style.background = colour(z);
        element.title = `${activation(neuron, z)} (${signed(z)} sd)`;
        if (numbers) element.append(make("bdi", { class: "value" }, signed(z)));
      }
      if (place === position) element.classList.add("here");
      text.append(element);
    }
    if (stop < words.length) text.append(" …");
    const z = deviations[position];
    return make("li", {}, make("span", { class: "activation" }, `${activation(neuron, z)} `, make("span", { class: "n" }, `${signed(z)} sd`)), text);
  };

  // A box for each tag: 5 to 95 % as a line, 25 to 75 % as a bar, the median; dotted, the mean of all.
  const boxes = (neuron, all) => {
    const rows = neuron.values[state.label];
    const shown = all ? rows : rows.slice(0, MOST_TAGS);
    const low = Math.min(...shown.map((values) => values[2]), 0);
    const high = Math.max(...shown.map((values) => values[6]), 0);
    const place = (z) => `${(100 * (z - low)) / (high - low || 1)}%`;
    const span = (name, from, to) => {
      const element = make("span", { class: name });
      element.style.left = place(from);
      if (to !== undefined) element.style.width = `${(100 * (to - from)) / (high - low || 1)}%`;
      return element;
    };
    const body = shown.map(([tag, n, q05, q25, q50, q75, q95, auc, lies]) => {
      const name = { 1: "above", 0: "as-rest", "-1": "below" }[lies];
      const bar = make("div", { class: `box ${name}`, "aria-hidden": "true" }, span("all", 0), span("line", q05, q95), span("quartiles", q25, q75), span("median", q50));
      const cell = make("td", {}, bar);
      cell.title = `median ${activation(neuron, q50)}; 5 to 95 %: ${activation(neuron, q05)} to ${activation(neuron, q95)}`;
      return make("tr", {}, make("th", { scope: "row" }, word(group().tags[state.label][tag])),
        make("td", { class: "number" }, n.toLocaleString("en")), cell,
        make("td", { class: "number" }, activation(neuron, q50)),
        make("td", { class: "number" }, auc === null ? "" : (auc / 1000).toFixed(2)));
    });
    const ends = make("div", { class: "ends" }, make("span", {}, activation(neuron, low)), make("span", {}, activation(neuron, high)));
    const head = ["Tag", "Words", null, "Median", "AUC"].map((title) => make("th", { scope: "col" }, title === null ? ends : title));
    return make("table", { class: "boxes" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  };
  const drawValues = (neuron, place, all) => {
    const rows = neuron.values[state.label];
    place.replaceChildren();
    if (!rows || !rows.length) return;
    const choose = make("select", { "aria-label": "Label column", id: "neuron-label" }, ...group().labels.map((name, i) => option(i, name)));
    choose.value = state.label;
    choose.addEventListener("change", () => {
      state.label = Number(choose.value);
      writeAddress(false);
      drawValues(neuron, place, false);
      at("neuron-label").focus();
    });
    place.append(make("h4", {}, "Values by ", choose), boxes(neuron, all));
    if (all || rows.length <= MOST_TAGS) return;
    const more = make("button", { type: "button", class: "more" }, `Show all ${rows.length} tags`);
    more.addEventListener("click", () => drawValues(neuron, place, true));
    place.append(more);
  };

  const legend = () => {
    const bar = make("span", { class: "gradient", "aria-hidden": "true" });
    const stops = [-1, -0.5, 0, 0.5, 1].map((share) => colour(100 * share * scale.full));
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    return make("p", { class: "legend" }, `−${scale.full} sd `, bar, ` +${scale.full} sd`);
  };
  const twins = (neuron) => groups.flatMap((other, number) => {
    const same = number !== state.group && other.corpus === group().corpus;
    if (!same || !other.neurons.some((one) => address(one) === address(neuron))) return [];
    return [make("a", { href: held({ group: number, layer: "", tag: "", search: "" }) }, `The same place in ${other.model}`)];
  });
  const drawDetail = () => {
    const neuron = named(state.neuron);
    if (!neuron) {
      at("neuron-detail").replaceChildren(make("p", { class: "empty" }, "Choose a neuron to see its words and where they stand."));
      return;
    }
    const words = make("ul", { class: "words" }, ...neuron.words.map((entry) => make("li", {}, coloured(entry), make("span", { class: "n" }, ` ${signed(entry[2])} (${entry[1].toLocaleString("en")})`))));
    const values = make("div", {});
    const contexts = make("div", {});
    const drawContexts = () => contexts.replaceChildren(...SIDES.flatMap((title, side) =>
      (neuron.contexts[side].length ? [make("h4", {}, title), make("ul", { class: "contexts" }, ...neuron.contexts[side].map(context(neuron)))] : [])));
    const check = make("input", { type: "checkbox", id: "neuron-numbers" });
    check.checked = numbers;
    check.addEventListener("change", () => {
      numbers = check.checked;
      drawContexts();
    });
    const back = make("button", { type: "button", class: "back" }, "Back to the list");
    back.addEventListener("click", () => at("neuron-list").querySelector('[tabindex="0"]')?.focus());
    at("neuron-detail").replaceChildren(
      make("h3", {}, `Neuron ${address(neuron)} · ${group().model}`),
      make("p", { class: "meta" }, make("span", {}, `mean ${activation(neuron, 0)}, standard deviation ${Number(neuron.sd.toPrecision(3))}`), make("span", {}, `${neuron.n.toLocaleString("en")} words, ${neuron.types.toLocaleString("en")} types`), ...neuron.for.map((entry) => badge(neuron, entry)), ...twins(neuron)),
      make("h4", {}, "Top words"), make("p", { class: "n" }, "Mean deviation from the neuron's mean in standard deviations (words)"),
      neuron.words.length ? words : make("p", {}, "None: the neuron never changes."),
      values, legend(), make("label", { class: "numbers" }, check, " Show each word's value"), contexts, back);
    drawValues(neuron, values, false);
    drawContexts();
  };

  const draw = () => {
    fillControls();
    drawList();
    drawDetail();
  };
  const open = (name) => {
    state.neuron = name;
    writeAddress(true);
    markCurrent();
    drawDetail();
    at("neuron-detail").scrollTop = 0;
    if (matchMedia("(max-width: 760px)").matches) {
      at("neuron-detail").scrollIntoView({ block: "start" });
      at("neuron-detail").focus({ preventScroll: true });
    }
  };
  const change = (values) => {
    Object.assign(state, values);
    writeAddress(false);
    draw();
  };

  at("neuron-list").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) open(button.dataset.neuron);
  });
  at("neuron-list").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...at("neuron-list").querySelectorAll("button")];
    const next = step && buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    for (const button of buttons) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  at("neuron-controls").addEventListener("submit", (event) => event.preventDefault());
  at("neuron-group").addEventListener("change", () => {
    state.group = Number(at("neuron-group").value);
    change({ neuron: named(state.neuron) ? state.neuron : "", layer: "", tag: "", label: 0 });
  });
  for (const name of ["layer", "tag", "sort"]) {
    at(`neuron-${name}`).addEventListener("change", () => change({ [name]: at(`neuron-${name}`).value }));
  }
  at("neuron-search").addEventListener("input", () => {
    state.search = at("neuron-search").value;
    writeAddress(false);
    drawList();
  });
  addEventListener("hashchange", () => {
    if (!readAddress()) return;
    draw();
    at("neurons").scrollIntoView();
  });
  addEventListener("popstate", () => readAddress() && draw());
  const linked = readAddress();
  if (!linked) state.neuron = address(found()[0]);
  draw();
  if (linked) at("neurons").scrollIntoView();
})();
