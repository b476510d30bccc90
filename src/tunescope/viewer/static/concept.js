// The page of a concept: the sentences of the word that is chosen, and the way through a list.
"use strict";
(() => {
  const { make, state, load } = tunescope;
  const at = (id) => document.getElementById(id);
  const words = at("words");
  const list = at("contexts");
  const first = [...list.children];
  const said = at("contexts-count").textContent;
  const SIZE = Number(list.dataset.size); // places whose contexts are in one file
  const view = () => state.read();

  const places = (text) => text.split(" ").flatMap((part) => {
    const [from, to] = part.split("-").map(Number);
    return Array.from({ length: (to ?? from) - from + 1 }, (_, n) => from + n);
  });
  const button = ([form, count, where, size]) => make("li", {},
    make("button", { class: `s${size}`, "data-at": where, "aria-pressed": "false" },
      make("bdi", {}, form), " ", make("i", {}, count)));
  const buttons = () => [...words.querySelectorAll("[data-at]")];
  const form = (element) => element.querySelector("bdi").textContent;
  const showRest = () => {
    const rest = at("rest");
    if (rest) rest.parentElement.replaceWith(...JSON.parse(at("rest-data").textContent).map(button));
  };

  const context = ([before, word, after, code], classes) => {
    const item = make("li", { dir: "auto" }, `${before} `, make("mark", {}, word), ` ${after}`);
    if (code >= 0) item.append(" ", make("b", { class: `c${code}` }, classes[code]));
    return item;
  };
  let turn = 0;
  const contexts = async (chosen) => {
    const mine = (turn += 1);
    const wanted = chosen.flatMap((element) => places(element.dataset.at));
    const blocks = new Map();
    await Promise.all([...new Set(wanted.map((place) => Math.floor(place / SIZE)))].map(async (n) => {
      blocks.set(n, await load(`${list.dataset.blocks}${n}.js`));
    }));
    if (mine !== turn) return;
    list.replaceChildren(...wanted.map((place) => {
      const [found, classes] = blocks.get(Math.floor(place / SIZE));
      return context(found[place % SIZE], classes);
    }));
  };

  const show = () => {
    const given = view();
    words.classList.toggle("cloud", given.words !== "list");
    at("as-list").setAttribute("aria-pressed", String(given.words === "list"));
    const wanted = given.word;
    if (wanted && !buttons().some((element) => form(element) === wanted)) showRest();
    const chosen = wanted ? buttons().filter((element) => form(element) === wanted) : [];
    for (const element of buttons()) element.setAttribute("aria-pressed", String(chosen.includes(element)));
    const all = given.all === "yes" && !chosen.length;
    if (all) showRest();
    at("all").hidden = all || (!chosen.length && first.length === total);
    at("all").textContent = chosen.length ? "Show those of all words" : "Show all";
    if (chosen.length || all) {
      contexts(chosen.length ? chosen : buttons());
      const n = (chosen.length ? chosen : buttons()).flatMap((element) => places(element.dataset.at)).length;
      at("contexts-count").textContent = `${n} of ${total} words${chosen.length ? `: “${wanted}”` : ""}`;
    } else {
      turn += 1;
      list.replaceChildren(...first);
      at("contexts-count").textContent = said;
    }
  };
  const total = Number(said.split(" ")[2]);

  const write = (changes, keep = true) => {
    state.write({ ...view(), ...changes }, keep);
    show();
    carry();
  };
  words.addEventListener("click", (event) => {
    const chosen = event.target.closest("button");
    if (!chosen) return;
    if (chosen.id === "rest") showRest();
    else write({ word: view().word === form(chosen) ? "" : form(chosen), all: "" });
  });
  at("all").addEventListener("click", () => write({ word: "", all: view().word ? "" : "yes" }));
  at("as-list").addEventListener("click", () => write({ words: view().words === "list" ? "" : "list" }, false));

  // Previous and next are those of the list that the concept was opened from.
  const here = Number(location.pathname.match(/(\d+)\.html$/)[1]);
  const link = (rel) => document.querySelector(`a[rel=${rel}]`);
  const up = at("up");
  const carry = () => {
    const { in: listed, from, words: look } = view();
    const numbers = (listed || "").split(".").map(Number);
    const place = listed ? numbers.indexOf(here) : -1;
    if (place >= 0) {
      at("step-said").textContent = `${place + 1} of ${numbers.length} in the list it was chosen from`;
      for (const [rel, step] of [["prev", -1], ["next", 1]]) {
        const to = numbers[place + step];
        let element = link(rel);
        if (to === undefined) { element?.remove(); continue; }
        if (!element) {
          element = make("a", { rel }, rel === "prev" ? "← Previous" : "Next →");
          at("step-said").before(element, " ");
        }
        element.href = `${String(to).padStart(4, "0")}.html`;
      }
      up.hash = from || "";
    }
    const kept = new URLSearchParams();
    if (place >= 0) { kept.set("in", listed); if (from) kept.set("from", from); }
    if (look) kept.set("words", look);
    for (const rel of ["prev", "next"]) if (link(rel)) link(rel).hash = kept;
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const rel = { ArrowLeft: "prev", k: "prev", ArrowRight: "next", j: "next" }[event.key];
    if (rel && link(rel)) link(rel).click();
    if (event.key === "u") up.click();
  });
  const read = () => { show(); carry(); };
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
})();
