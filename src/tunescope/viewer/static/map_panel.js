// One panel of a map: points on a canvas that can be moved, enlarged, pointed at and encircled.
"use strict";
tunescope.panel = (canvas, on) => {
  const REACH = 12; // pixels from the pointer to a point
  const LEAST = 4; // pixels of a drag
  const context = canvas.getContext("2d");
  let scene = { marks: [], look: { x: 0.5, y: 0.5, k: 1 }, rings: [], lines: [], lasso: [] };
  let drag = null;

  const size = () => Math.min(canvas.clientWidth, canvas.clientHeight) * scene.look.k;
  const toScreen = ([x, y]) => [
    canvas.clientWidth / 2 + (x - scene.look.x) * size(),
    canvas.clientHeight / 2 - (y - scene.look.y) * size(),
  ];
  const toMap = ([x, y]) => [
    scene.look.x + (x - canvas.clientWidth / 2) / size(),
    scene.look.y - (y - canvas.clientHeight / 2) / size(),
  ];

  // Shapes around 0, as long as `r` to each side or as large to the eye.
  const polygon = (...corners) => (path, x, y, r) => {
    corners.forEach(([a, b], n) => path[n ? "lineTo" : "moveTo"](x + a * r, y + b * r));
    path.closePath();
  };
  const arm = 0.4;
  const SHAPES = [
    (path, x, y, r) => { path.moveTo(x + r, y); path.arc(x, y, r, 0, 7); },
    polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]),
    polygon([0, -1.2], [1.1, 0.9], [-1.1, 0.9]),
    polygon([0, -1.35], [1.1, 0], [0, 1.35], [-1.1, 0]),
    polygon([0, 1.2], [1.1, -0.9], [-1.1, -0.9]),
    polygon([-arm, -1.2], [arm, -1.2], [arm, -arm], [1.2, -arm], [1.2, arm], [arm, arm], [arm, 1.2],
      [-arm, 1.2], [-arm, arm], [-1.2, arm], [-1.2, -arm], [-arm, -arm]),
    polygon([1.2, 0], [-0.9, 1.1], [-0.9, -1.1]),
  ];
  const shape = (path, mark, x, y, r) => SHAPES[mark.shape % SHAPES.length](path, x, y, r);

  const paint = () => {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const r = 3.1 * Math.min(2.2, Math.sqrt(scene.look.k));
    context.lineWidth = 1;
    context.strokeStyle = scene.ink;
    context.globalAlpha = 0.35;
    context.beginPath();
    for (const [from, to] of scene.lines) { context.moveTo(...toScreen(from)); context.lineTo(...toScreen(to)); }
    context.stroke();
    const batches = new Map(); // one path for all points that look alike
    for (const mark of scene.marks) {
      const name = `${mark.back ? 0 : 1}${mark.tone}${mark.shape}${mark.hollow}`;
      if (!batches.has(name)) batches.set(name, { mark, path: new Path2D() });
      const [x, y] = toScreen(mark.at);
      if (x > -9 && y > -9 && x < width + 9 && y < height + 9) shape(batches.get(name).path, mark, x, y, r);
    }
    for (const { mark, path } of [...batches.values()].sort((a, b) => !a.mark.back - !b.mark.back)) {
      context.globalAlpha = mark.back ? 0.16 : 0.82;
      context.fillStyle = context.strokeStyle = mark.tone;
      context.lineWidth = mark.hollow ? 1.4 : 0.5;
      if (!mark.hollow) context.fill(path);
      context.stroke(path);
    }
    context.globalAlpha = 1;
    context.strokeStyle = scene.ink;
    context.lineWidth = 2;
    for (const ring of scene.rings) {
      context.beginPath();
      context.arc(...toScreen(ring), r + 4, 0, 7);
      context.stroke();
    }
    const line = drag?.line || scene.lasso.map(toScreen);
    if (line.length > 1) {
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.beginPath();
      line.forEach((at, n) => context[n ? "lineTo" : "moveTo"](...at));
      context.closePath();
      context.stroke();
      context.globalAlpha = 0.06;
      context.fillStyle = scene.ink;
      context.fill();
      context.globalAlpha = 1;
      context.setLineDash([]);
    }
  };

  const nearest = ([x, y]) => {
    let found = null;
    let least = REACH;
    for (const mark of scene.marks) {
      const [a, b] = toScreen(mark.at);
      const far = Math.hypot(a - x, b - y) + (mark.back ? 3 : 0);
      if (far < least) { least = far; found = mark; }
    }
    return found;
  };

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left - canvas.clientLeft, event.clientY - box.top - canvas.clientTop];
  };
  const far = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);

  const extend = (line, at) => { if (far(line.at(-1), at) > 5) line.push(at); };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const tool = event.shiftKey ? "move" : on.tool();
    drag = { from: place(event), last: place(event), tool, line: null };
    if (tool) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (!drag) { on.hover(nearest(at), event); return; }
    if (!drag.moved && far(drag.from, at) < LEAST) return;
    drag.moved = true;
    if (drag.tool === "move") {
      const s = size();
      on.look({ x: scene.look.x - (at[0] - drag.last[0]) / s, y: scene.look.y + (at[1] - drag.last[1]) / s, k: scene.look.k });
    } else if (drag.tool === "lasso") {
      drag.line = drag.line || [drag.from];
      // of a quick stroke, the browser hands over several points in one event
      for (const one of event.getCoalescedEvents?.() ?? []) extend(drag.line, place(one));
      extend(drag.line, at);
      paint();
    }
    drag.last = at;
  });
  canvas.addEventListener("pointerup", (event) => {
    const ended = drag;
    drag = null;
    if (!ended) return;
    if (!ended.moved) on.pick(nearest(place(event)));
    else if (ended.line) on.encircle(ended.line.map(toMap));
  });
  canvas.addEventListener("pointercancel", () => { drag = null; paint(); });
  canvas.addEventListener("pointerleave", () => on.hover(null));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // else the page scrolls
    event.preventDefault();
    on.zoom(Math.exp(-event.deltaY / 300), toMap(place(event)));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => on.zoom(1.8, toMap(place(event))));
  new ResizeObserver(paint).observe(canvas);

  return { canvas, draw: (given) => { scene = given; paint(); } };
};
