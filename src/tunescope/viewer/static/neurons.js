// The first neurons of a ranking, for all tags or one; the choice is behind the #.
"use strict";
(() => {
  const { root, make, state } = tunescope;
  const at = (id) => document.getElementById(id);
  const { tags, about, rankings, neurons } = JSON.parse(at("ranking-data").textContent);
  const FIELDS = ["method", "scaling", "tag", "search"];
  const option = (value, text) => {
    const element = make("option", {}, text);
    element.value = value;
    return element;
  };
  const unique = (values) => [...new Set(values)];
  at("method").append(...unique(rankings.map((r) => r.method)).map((name) => option(name, name.replaceAll("_", " "))));
  at("scaling").append(...unique(rankings.map((r) => r.scaling)).map((name) => option(name, name)));
  at("tag").append(option("", "all together"), ...tags.map((tag) => option(tag, tag)));

  const page = (address) => {
    const [path] = neurons[address];
    const text = path ? make("a", { href: root + path }, address) : address;
    return make("td", {}, text);
  };
  // For which tags of this ranking the neuron is first, second or third.
  const firstFor = (ranking, address) => ranking.orders.slice(1).flatMap((order, tag) => {
    const place = order.slice(0, 3).findIndex(([other]) => other === address);
    return place < 0 ? [] : [[tags[tag], place + 1]];
  });
  const draw = () => {
    const ranking = rankings.find((r) => r.method === at("method").value && r.scaling === at("scaling").value);
    const order = ranking ? ranking.orders[at("tag").value === "" ? 0 : 1 + tags.indexOf(at("tag").value)] : [];
    const sought = at("search").value.toLocaleLowerCase();
    const found = order.map(([address, score], place) => ({ address, score, place }))
      .filter(({ address }) => !sought || address === sought || neurons[address][1].some((word) => word.toLocaleLowerCase().includes(sought)));
    const top = Math.max(...order.map(([, score]) => Math.abs(score ?? 0)), 0);
    at("ranking").replaceChildren(...found.map(({ address, score, place }) => {
      const bar = make("span", { class: "score", "aria-hidden": "true" });
      bar.style.width = `${top ? (4 * Math.abs(score ?? 0)) / top : 0}rem`;
      const words = neurons[address][1].flatMap((word, i) => [i ? " " : "", make("bdi", {}, word)]);
      const own = firstFor(ranking, address).flatMap(([tag, rank], i) => [i ? ", " : "", make("bdi", {}, tag), ` (${rank})`]);
      return make("tr", {}, make("td", {}, String(place + 1)), page(address), make("td", {}, address.split(":")[0]),
        make("td", {}, bar, score === null ? "" : ` ${score}`), make("td", {}, ...words), make("td", {}, ...own));
    }));
    at("about").textContent = about[at("method").value] || "";
    at("ranking-count").textContent = `${found.length} of the first ${order.length} neurons`;
  };
  const read = () => {
    const given = state.read();
    for (const name of FIELDS) {
      at(name).value = given[name] ?? (name === "search" || name === "tag" ? "" : at(name).options[0]?.value);
      if (at(name).selectedIndex < 0) at(name).selectedIndex = 0;
    }
    draw();
    keep();
  };
  // The same choice in the other model.
  const keep = () => document.querySelectorAll("[data-keep]").forEach((link) => { link.hash = location.hash; });
  const change = () => {
    draw();
    const first = (name) => at(name).options && at(name).value === at(name).options[0].value;
    state.write(Object.fromEntries(FIELDS.map((name) => [name, first(name) ? "" : at(name).value])));
    keep();
  };
  for (const name of FIELDS) at(name).addEventListener("input", change);
  at("ranking-controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  read();
})();
