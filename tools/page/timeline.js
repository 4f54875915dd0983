/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * timeline.js: the swim lanes. A lane's pieces are sorted by time and do not overlap, so what is visible and what is
 * under the pointer is found by halving. What is narrower than a pixel is drawn as how busy that pixel is.
 */
"use strict";

const GUTTER = 150, AXIS = 26, HEIGHTS = { operations: 15, user: 20, kernel: 20 }, GAP = 10, SPACE = 2;
const MOST_ARROWS_DRAWN = 300, NARROWEST_VIEW = 20, NEAR = 4, LABEL_LEAST = 34;
const [BEGIN, END, NAME, PLACE, KIND, COST, BUSY, COUNT] = Array(8).keys();

const line = data.timeline;
const canvas = at("timeline"), tip = at("tip"), pen = canvas.getContext("2d");
const whole = [line.begin, Math.max(line.end, line.begin + NARROWEST_VIEW)];
let view = [...whole], width = 0, tops = [], height = 0, colours = [], style, hovered = null;

function layOut() {
  let y = AXIS + 4, before = null;
  tops = line.lanes.map((lane) => {
    if (before !== null) y += lane.thread === before ? SPACE : GAP;
    before = lane.thread;
    const top = y;
    y += HEIGHTS[lane.ring];
    return top;
  });
  height = y + 8;
}

const xOf = (cycle) => GUTTER + ((cycle - view[0]) / (view[1] - view[0])) * (width - GUTTER);
const cycleAt = (x) => view[0] + ((x - GUTTER) / (width - GUTTER)) * (view[1] - view[0]);
const variable = (name) => style.getPropertyValue(name).trim();

/* The first piece that ends after a cycle. */
function firstAfter(pieces, cycle) {
  let low = 0, high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle][END] > cycle) high = middle;
    else low = middle + 1;
  }
  return low;
}

function nameOf(piece) {
  if (piece[NAME] >= 0) return line.words[piece[NAME]];
  return `${figure(piece[COUNT])} pieces`;
}

function drawLane(lane, top) {
  const tall = HEIGHTS[lane.ring], perPixel = (view[1] - view[0]) / (width - GUTTER);
  let column = -1, busy = 0, kind = 0;
  const flush = () => {
    if (column < 0 || !busy) return;
    pen.globalAlpha = Math.min(1, Math.max(0.3, busy / perPixel));
    pen.fillStyle = colours[kind];
    pen.fillRect(column, top, 1, tall);
    pen.globalAlpha = 1;
  };
  for (let i = firstAfter(lane.pieces, view[0]); i < lane.pieces.length; i++) {
    const piece = lane.pieces[i];
    if (piece[BEGIN] >= view[1]) break;
    const left = Math.max(GUTTER, xOf(piece[BEGIN])), right = Math.min(width, xOf(piece[END]));
    if (right - left < 1) {
      const here = Math.floor(left);
      if (here !== column) {
        flush();
        column = here;
        busy = 0;
      }
      busy += piece[BUSY];
      kind = piece[KIND];
      continue;
    }
    pen.globalAlpha = piece[COUNT] > 1 ? Math.max(0.3, piece[BUSY] / (piece[END] - piece[BEGIN])) : 1;
    pen.fillStyle = colours[piece[KIND]];
    pen.fillRect(left, top, right - left > 3 ? right - left - 0.5 : right - left, tall);
    pen.globalAlpha = 1;
    if (right - left > LABEL_LEAST) {
      pen.save();
      pen.beginPath();
      pen.rect(left, top, right - left - 3, tall);
      pen.clip();
      pen.fillStyle = piece[COUNT] > 1 ? variable("--text") : variable("--on-colour");
      pen.fillText(nameOf(piece), left + 4, top + tall / 2);
      pen.restore();
    }
  }
  flush();
}

/* A round number of cycles, so that ticks lie some 110 pixels apart. */
function tickStep() {
  const least = ((view[1] - view[0]) / (width - GUTTER)) * 110;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 1;
}

function drawAxis() {
  const step = Math.max(1, tickStep());
  pen.textAlign = "left";
  for (let cycle = Math.ceil(view[0] / step) * step; cycle <= view[1]; cycle += step) {
    const x = Math.round(xOf(cycle)) + 0.5;
    pen.strokeStyle = variable("--line");
    pen.beginPath();
    pen.moveTo(x, 6);
    pen.lineTo(x, height);
    pen.stroke();
    pen.fillStyle = variable("--quiet");
    pen.fillText(figure(cycle), x + 4, 11);
  }
}

function drawArrows() {
  const shown = line.arrows.filter(([sent, , received]) => received >= view[0] && sent <= view[1]);
  if (shown.length > MOST_ARROWS_DRAWN) return;
  pen.strokeStyle = pen.fillStyle = variable("--text");
  pen.lineWidth = 1.2;
  for (const [sent, from, received, to] of shown) {
    const x = xOf(sent), end = xOf(received), down = tops[to] > tops[from];
    const y = tops[from] + (down ? HEIGHTS[line.lanes[from].ring] : 0), stop = tops[to] + (down ? 0 : HEIGHTS[line.lanes[to].ring]);
    if (Math.min(x, end) < GUTTER) continue;
    const bend = (stop - y) / 2, tipped = down ? -5 : 5;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.bezierCurveTo(x, y + bend, end, stop - bend, end, stop);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(end, stop);
    pen.lineTo(end - 3, stop + tipped);
    pen.lineTo(end + 3, stop + tipped);
    pen.fill();
  }
  pen.lineWidth = 1;
}

function drawLabels() {
  pen.fillStyle = variable("--panel");
  pen.fillRect(0, 0, GUTTER - 1, height);
  let before = null;
  line.lanes.forEach((lane, i) => {
    const middle = tops[i] + HEIGHTS[lane.ring] / 2;
    if (lane.thread !== before) {
      pen.textAlign = "left";
      pen.fillStyle = variable("--text");
      pen.font = `600 12.5px ${style.fontFamily}`;
      pen.fillText(lane.thread, 2, middle, GUTTER - 72);
      pen.font = `12px ${style.fontFamily}`;
    }
    before = lane.thread;
    pen.textAlign = "right";
    pen.fillStyle = variable("--quiet");
    pen.fillText(lane.ring, GUTTER - 8, middle);
  });
  pen.textAlign = "right";
  pen.fillText("cycle", GUTTER - 8, 11);
  pen.textAlign = "left";
}

function draw() {
  const scale = window.devicePixelRatio || 1;
  style = getComputedStyle(document.body);
  colours = line.kinds.map((_, i) => variable(`--kind-${i}`));
  width = canvas.clientWidth;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.font = `12px ${style.fontFamily}`;
  pen.textBaseline = "middle";
  pen.fillStyle = variable("--panel");
  pen.fillRect(0, 0, width, height);
  drawAxis();
  line.lanes.forEach((lane, i) => drawLane(lane, tops[i]));
  drawArrows();
  drawLabels();
  if (hovered) {
    const [lane, piece] = hovered, left = Math.max(GUTTER, xOf(piece[BEGIN])), right = Math.min(width, xOf(piece[END]));
    pen.strokeStyle = variable("--text");
    pen.strokeRect(left - 0.5, tops[lane] - 0.5, Math.max(2, right - left + 1), HEIGHTS[line.lanes[lane].ring] + 1);
  }
  at("range").textContent =
    `cycles ${figure(Math.round(view[0]))} to ${figure(Math.round(view[1]))}, ${duration(view[1] - view[0])}`;
}

/* ---- looking at another part ---- */

function show(begin, end) {
  const most = whole[1] - whole[0], span = Math.min(most, Math.max(NARROWEST_VIEW, end - begin));
  const first = Math.min(Math.max(begin, whole[0]), whole[1] - span);
  view = [first, first + span];
  draw();
}

function zoom(factor, cycle = (view[0] + view[1]) / 2) {
  show(cycle - (cycle - view[0]) * factor, cycle + (view[1] - cycle) * factor);
}

function move(share) {
  const by = (view[1] - view[0]) * share;
  show(view[0] + by, view[1] + by);
}

/* ---- the pointer ---- */

function under(x, y) {
  const lane = tops.findIndex((top, i) => y >= top && y < top + HEIGHTS[line.lanes[i].ring]);
  if (lane < 0 || x < GUTTER) return null;
  const { pieces } = line.lanes[lane], cycle = cycleAt(x), first = firstAfter(pieces, cycle);
  const near = [pieces[first], pieces[first - 1]].filter(Boolean)
    .map((piece) => [Math.max(xOf(piece[BEGIN]) - x, x - xOf(piece[END]), 0), piece])
    .sort((one, other) => one[0] - other[0])[0];
  return near && near[0] <= NEAR ? [lane, near[1]] : null;
}

function tell(found, x, y) {
  tip.hidden = !found;
  if (!found) return;
  const [lane, piece] = found, { thread, ring } = line.lanes[lane];
  tip.replaceChildren(make("b", nameOf(piece)), make("span", `${thread}, ${ring}: ${line.kinds[piece[KIND]]}`));
  const length = piece[END] - piece[BEGIN];
  tip.append(make("span", `${figure(length)} cycles, ${duration(length)}, from cycle ${figure(piece[BEGIN])}`));
  if (piece[COUNT] > 1) tip.append(make("span", `busy for ${figure(piece[BUSY])} of them, put together for the view`));
  if (piece[COST]) tip.append(make("span", `the way in took ${figure(piece[COST])} cycles`));
  if (piece[PLACE] >= 0) tip.append(make("span", line.words[piece[PLACE]]));
  tip.style.left = `${Math.min(x + 14, Math.max(0, width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${y + 16}px`;
}

let held = null;
canvas.addEventListener("pointerdown", (event) => {
  held = { x: event.offsetX, view: [...view] };
  canvas.setPointerCapture(event.pointerId);
  canvas.classList.add("held");
});
canvas.addEventListener("pointerup", () => {
  held = null;
  canvas.classList.remove("held");
});
canvas.addEventListener("pointermove", (event) => {
  if (held) {
    const by = ((held.x - event.offsetX) / (width - GUTTER)) * (held.view[1] - held.view[0]);
    show(held.view[0] + by, held.view[1] + by);
    return;
  }
  hovered = under(event.offsetX, event.offsetY);
  draw();
  tell(hovered, event.offsetX, event.offsetY);
});
canvas.addEventListener("pointerleave", () => {
  hovered = null;
  tell(null);
  draw();
});
canvas.addEventListener("dblclick", (event) => {
  const found = under(event.offsetX, event.offsetY);
  if (!found) return;
  const [, piece] = found, margin = (piece[END] - piece[BEGIN]) / 10;
  show(piece[BEGIN] - margin, piece[END] + margin);
});
canvas.addEventListener("wheel", (event) => {
  if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, cycleAt(Math.max(GUTTER, event.offsetX)));
  else if (event.deltaX || event.shiftKey) move((event.deltaX || event.deltaY) / (width - GUTTER));
  else return;
  event.preventDefault();
}, { passive: false });

const KEYS = {
  "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => show(...whole),
  ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
};
canvas.addEventListener("keydown", (event) => {
  if (!KEYS[event.key]) return;
  KEYS[event.key]();
  event.preventDefault();
});
for (const [id, key] of [["zoom-in", "+"], ["zoom-out", "-"], ["earlier", "ArrowLeft"], ["later", "ArrowRight"], ["whole", "0"]])
  at(id).addEventListener("click", KEYS[key]);

/* ---- light and dark ---- */

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  at("theme").textContent = theme === "dark" ? "Light" : "Dark";
  draw();
}
at("theme").addEventListener("click", () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));

/* ---- in words ---- */

function note() {
  const sentences = [`${figure(line.events)} events were traced.`];
  if (!line.lanes.length) sentences.push("None of them crossed a ring: there is nothing to draw.");
  if (line.within)
    sentences.push(`To keep this page small, pieces of a lane that lie within ${figure(line.within)} cycles are drawn as one; ` +
      "give report --begin and --end to see a part in full.");
  if (line.messages && !line.arrows.length)
    sentences.push(`The ${figure(line.messages)} messages between threads are too many for arrows.`);
  else if (line.messages)
    sentences.push(`Arrows are the ${figure(line.messages)} messages between threads; they are drawn where there is room.`);
  at("timeline-note").textContent = sentences.join(" ");
}

layOut();
legend(at("kinds"), line.within ? line.kinds : line.kinds.slice(0, -1), "kind");
fill(at("lanes"), ["thread", "ring", "busy", "pieces"], line.lanes.map((lane) => [lane.thread, lane.ring, lane.busy, lane.count]));
note();
dress(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
new ResizeObserver(draw).observe(canvas.parentElement);
