// Draws the page's charts, from top to bottom, with Vega's interpreter: no code is made from text.
"use strict";
(async () => {
  const specs = JSON.parse(document.getElementById("chart-data").textContent);
  const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
  for (const place of document.querySelectorAll(".chart")) {
    await vegaEmbed(place, specs[Number(place.dataset.chart)], options);
    place.dataset.drawn = "yes";
  }
  document.documentElement.dataset.charts = "drawn";
})();
