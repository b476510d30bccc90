// The form under a concept, when served with --annotate: it is saved without leaving the page.
"use strict";
(() => {
  const form = document.getElementById("annotate");
  if (!form) return;
  const said = document.getElementById("annotate-said");
  const next = document.querySelector("a[rel=next]");
  const onward = form.querySelector("button[value=next]");
  onward.hidden = !next;
  let dirty = false;

  const say = (text, failed = false) => {
    said.textContent = text;
    said.classList.toggle("failed", failed);
  };
  const filled = () => {
    const given = Object.fromEntries(new FormData(form));
    for (const name of ["layer", "concept"]) given[name] = Number(given[name]);
    given.merge = given.merge === "" ? null : Number(given.merge);
    return given;
  };

  form.addEventListener("input", () => { dirty = true; say("Not saved yet"); });
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const before = JSON.stringify(filled());
    say("Saving …");
    try {
      const answer = await fetch(`${tunescope.root}api/annotate`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ annotation: filled(), seen: form.dataset.seen }),
      });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      form.dataset.seen = found.time;
      dirty = JSON.stringify(filled()) !== before; // typed on while it was saved
      say(dirty ? "Not saved yet" : found.time ? `Saved ${found.time.slice(0, 16).replace("T", " ")} UTC` : "Nothing is said of it now");
      if (!dirty && event.submitter && event.submitter.value === "next") location.href = next.href;
    } catch (error) {
      const gone = error instanceof TypeError && "the server does not answer; is it still running?";
      say(`Not saved: ${gone || error.message}`, true);
    }
  });
})();
