// One's own text and trigger: asked of the model on the machine that serves the page.
"use strict";
(() => {
  const { make, state, root } = tunescope;
  const at = (id) => document.getElementById(id);
  const form = at("try-form");
  const key = JSON.parse(at("try-data").textContent);
  const texts = [...form.querySelectorAll("textarea")];
  const explain = at("explain");
  const NAMES = ["trigger", "position", "part"].filter((name) => form.elements[name]);
  const FATES = { born: "born: the base model has none like it", survived: "survived: the base model has one like it" };
  let asked = null; // what the answer on the page is to

  const question = () => ({
    ...key, texts: texts.map((text) => text.value),
    ...Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value])),
  });
  const percent = (share) => `${(100 * share).toFixed(share > 0.0995 && share < 0.9995 ? 0 : 1)}%`;

  // While an answer is waited for, what the machine does meanwhile.
  const ask = async (address, content, said, button) => {
    let waiting = true;
    const look = async () => {
      while (waiting) {
        await new Promise((resolve) => setTimeout(resolve, 400));
        const found = waiting && await fetch(`${root}api/bench`).then((answer) => answer.json()).catch(() => null);
        if (!waiting || !found) continue;
        const behind = found.waiting ? ` ${found.waiting} more waiting.` : "";
        said.textContent = `${found.doing || "Waiting"} …${behind}`;
      }
    };
    button.disabled = true;
    said.textContent = "Asking …";
    look();
    try {
      const answer = await fetch(`${root}api/${address}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
      });
      const found = await answer.json();
      waiting = false;
      if (!answer.ok) throw new Error(found.error);
      said.textContent = "";
      said.classList.remove("failed");
      return found;
    } catch (error) {
      waiting = false;
      said.textContent = error instanceof TypeError ? "The server does not answer: is it still running?" : error.message;
      said.classList.add("failed");
      return null;
    } finally {
      button.disabled = false;
    }
  };

  const share = (value) => {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${100 * value}%`;
    return make("td", { class: "rate" }, bar, percent(value));
  };
  const answered = (found) => {
    const [before, put] = found.probabilities;
    const best = (row) => row.indexOf(Math.max(...row));
    const flips = put && best(before) !== best(put);
    const head = ["Class", put ? "Without the trigger" : "Probability", ...(put ? ["With it", "Change"] : [])];
    const rows = found.classes.map((name, n) => make("tr", {},
      make("th", { scope: "row" }, make("bdi", {}, name)), share(before[n]),
      ...(put ? [share(put[n]), make("td", { class: "number" }, `${put[n] >= before[n] ? "+" : "−"}${(100 * Math.abs(put[n] - before[n])).toFixed(1)} points`)] : [])));
    const names = (row) => make("b", {}, make("bdi", {}, found.classes[best(row)]));
    const verdict = !put ? ["Predicted: ", names(before), "."]
      : flips ? ["The prediction flips from ", names(before), " to ", names(put), "."]
        : ["The prediction stays ", names(before), "."];
    const read = (put ? found.texts[1] : []).map((text, n) => {
      const { part, left, trigger, right } = found.put;
      const inside = n === part ? [left, " ", make("mark", {}, trigger), " ", right] : [text];
      return make("p", { class: "context", dir: "auto" }, ...inside);
    });
    const cut = found.limit ? [make("p", { class: "n" }, `The model reads ${found.limit} subwords: what is behind is cut off.`)] : [];
    at("try-answer").replaceChildren(
      make("p", { class: flips ? "verdict flips" : "verdict" }, ...verdict), ...read,
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Probabilities" },
        make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
          make("tbody", {}, ...rows))), ...cut);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const content = question();
    const kept = Object.fromEntries(NAMES.map((name) => [name, content[name]]));
    state.write({ ...state.read(), ...kept, text: content.texts[0], second: content.texts[1] });
    const found = await ask("try", content, at("try-said"), form.querySelector("button"));
    if (!found) return;
    answered(found);
    asked = content;
    if (explain) {
      explain.hidden = false;
      at("explain-answer").replaceChildren();
    }
  });

  const token = (one, largest) => {
    const made = make("span", { title: one.special ? `${one.attribution.toPrecision(2)}, a special token` : `${one.attribution.toPrecision(2)}, ${percent(one.share)} of the words’ mass` }, one.text);
    made.className = ["token", one.special && "special", one.salient && "salient", !one.seen && "unread"].filter(Boolean).join(" ");
    const strength = (0.55 * Math.abs(one.attribution)) / largest;
    made.style.background = `rgba(${one.attribution > 0 ? "230,159,0" : "0,114,178"},${strength.toFixed(3)})`;
    return made;
  };
  const concept = (one) => {
    const { card } = one;
    if (!card) {
      const likeliest = make("a", { href: `${root}${one.path}` }, `concept ${one.concept}`);
      return [make("td", { colspan: "3", class: "n" }, "not sure: the likeliest is ", likeliest, `, p = ${one.p}`)];
    }
    const classes = card.classes.map(({ kind, name, share: of, polarised }) => make("div", {},
      kind === "predicted" ? "predicted " : "", make("bdi", {}, name), ` ${percent(of)}`, polarised ? make("b", {}, " (followed)") : ""));
    const title = make("a", { href: `${root}${card.path}` }, `${one.concept}`, ...(card.name ? [" ", make("bdi", {}, card.name)] : []));
    return [
      make("td", {}, title, " ", make("span", { class: "n" }, `p = ${one.p}${card.fate ? `, ${FATES[card.fate] || card.fate}` : ""}`)),
      make("td", {}, ...classes),
      make("td", { class: "words" }, ...card.words.flatMap((word) => [make("bdi", {}, word), " "])),
    ];
  };
  const explained = (found) => {
    const largest = Math.max(...found.tokens.map((one) => Math.abs(one.attribution))) || 1;
    const rows = found.concepts.map((one) => {
      const word = found.tokens[one.token];
      return make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, word.text)),
        make("td", { class: "number" }, `${word.attribution > 0 ? "for" : "against"}, ${percent(word.share)}`), ...concept(one));
    });
    const layer = found.concepts.length ? ` at layer ${found.concepts[0].layer}` : "";
    const head = ["Word", "Speaks, of all attribution", `Concept${layer}`, "Class of its sentences", "Its words"];
    at("explain-answer").replaceChildren(
      make("p", { class: "verdict" }, "Predicted ", make("bdi", {}, found.predicted), ` (${percent(found.probability)})`),
      make("p", { class: "context tokens", dir: "auto" }, ...found.tokens.flatMap((one) => [token(one, largest), " "])),
      make("p", { class: "n" }, make("span", { class: "token for" }, "for the class"), " ", make("span", { class: "token against" }, "against it"), " ",
        make("span", { class: "token salient" }, "salient"), ` the fewest words that hold ${percent(found.mass)} of the attribution. A concept is named where it has at least p = ${found.accept}.`),
      make("div", { class: "scroll whole", tabindex: "0", role: "region", "aria-label": "Concepts of the salient words" },
        make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows))),
      make("p", { class: "n" }, found.about));
  };
  if (explain) {
    at("explain-form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const layer = Number(event.target.elements.layer.value);
      const found = await ask("explain", { ...asked, layer }, at("explain-said"), event.target.querySelector("button"));
      if (found) explained(found);
    });
  }

  // A link brings its text along; a trigger of the table comes into the box.
  const given = state.read();
  if (given.text) texts[0].value = given.text;
  if (given.second && texts[1]) texts[1].value = given.second;
  for (const name of NAMES) if (given.text && name in given) form.elements[name].value = given[name];
  if (given.text && !("trigger" in given)) form.elements.trigger.value = "";
  addEventListener("try-trigger", ({ detail }) => {
    form.elements.trigger.value = detail;
    at("try").scrollIntoView();
    form.requestSubmit();
  });
})();
