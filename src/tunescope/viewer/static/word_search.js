// A word through the layers: the concepts it is in, loaded layer by layer.
"use strict";
(() => {
  const { make, state, load } = tunescope;
  const at = (id) => document.getElementById(id);
  const { layers, models } = JSON.parse(at("layers-data").textContent);
  const field = at("filters").elements.word;
  const MOST = 40; // words offered
  const MOST_CONCEPTS = 4; // of one word in one layer
  let forms = [];
  let starts = [0]; // places of a type's words: from its start to that of the next

  const cell = (folder, place, stop) => {
    const element = make("td", { class: "waiting" }, "…");
    load(`${folder}words.js`).then(([concepts, titles, fates]) => {
      const counts = new Map();
      for (let n = place; n < stop; n += 1) counts.set(concepts[n], (counts.get(concepts[n]) || 0) + 1);
      const found = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      element.className = "";
      element.replaceChildren(...found.slice(0, MOST_CONCEPTS).map(([n, count]) => make("p", {},
        make("a", { href: `${folder}${String(n).padStart(4, "0")}.html#${new URLSearchParams({ word: field.value })}` },
          make("i", {}, n), " ", make("bdi", {}, titles[n])),
        ...(found.length > 1 ? [" ", make("span", { class: "n" }, `${count} of ${stop - place}`)] : []),
        ...(fates[n] ? [" ", make("span", { class: `fate ${fates[n]}` }, fates[n])] : []))),
      ...(found.length > MOST_CONCEPTS ? [make("p", { class: "n" }, `and ${found.length - MOST_CONCEPTS} more`)] : []));
    }, (error) => { element.textContent = error.message; });
    return element;
  };

  const draw = (type) => {
    const grid = at("grid");
    const head = make("tr", {}, make("th", { scope: "col" }, "Layer"),
      ...models.map(({ name, role }) => make("th", { scope: "col", class: role }, make("bdi", {}, name))));
    const rows = layers.map((layer, n) => make("tr", {}, make("th", { scope: "row" }, layer),
      ...models.map(({ folders }) => folders[n] ? cell(folders[n], starts[type], starts[type + 1]) : make("td"))));
    grid.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows.reverse()));
    grid.hidden = false;
  };

  const show = () => {
    const sought = field.value.toLocaleLowerCase();
    const type = forms.indexOf(field.value);
    const like = [];
    forms.forEach((form, n) => { if (form.toLocaleLowerCase().includes(sought)) like.push(n); });
    const size = (n) => starts[n + 1] - starts[n];
    const starting = (n) => (!sought || forms[n].toLocaleLowerCase().startsWith(sought) ? 0 : 1);
    like.sort((a, b) => starting(a) - starting(b) || size(b) - size(a) || a - b);
    at("found").replaceChildren(...like.slice(0, MOST).map((n) => {
      const button = make("button", { "aria-pressed": String(n === type) }, make("bdi", {}, forms[n]), " ", make("i", {}, size(n)));
      button.addEventListener("click", () => { field.value = forms[n]; save(true); show(); });
      return make("li", {}, button);
    }));
    at("count").textContent = sought
      ? `${like.length > MOST ? `${MOST} of ` : ""}${like.length} word type${like.length === 1 ? " contains" : "s contain"} it` : "The most frequent:";
    if (type >= 0) draw(type);
    else at("grid").hidden = true;
  };
  const save = (keep) => state.write({ word: field.value }, keep);
  const read = () => { field.value = state.read().word || ""; show(); };
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", () => { save(false); show(); });
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  load("types.js").then(([found, counts]) => {
    forms = found;
    for (const count of counts) starts.push(starts[starts.length - 1] + count);
    read();
  });
})();
