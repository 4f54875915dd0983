/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * figures.js: what was counted, as facts, bars and tables. Every number is one of the data's, or a quotient of two.
 */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);

function make(tag, text, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  return element;
}

/* Whole where it is whole, else two decimals, as the commands print it. */
function figure(value) {
  if (value > 0 && value < 0.005) return "<0.01";
  const digits = Number.isInteger(value) ? 0 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function duration(cycles) {
  const seconds = cycles / data.head.hz;
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]])
    if (seconds >= size) return `${(seconds / size).toLocaleString("en-US", { maximumFractionDigits: 2 })} ${unit}`;
  return `${(seconds * 1e9).toLocaleString("en-US", { maximumFractionDigits: 1 })} ns`;
}

function row(cells, tag) {
  const line = make("tr");
  cells.forEach((cell, i) => {
    const heading = tag === "th" || i === 0;
    const box = make(heading ? "th" : "td", typeof cell === "number" ? figure(cell) : cell);
    if (heading) box.scope = tag === "th" ? "col" : "row";
    if (cell === 0) box.className = "zero";
    if (typeof cell === "number") box.dataset.value = cell;
    line.append(box);
  });
  return line;
}

function fill(table, heading, rows) {
  const head = make("thead"), body = make("tbody");
  head.append(row(heading, "th"));
  rows.forEach((cells) => body.append(row(cells)));
  table.append(head, body);
}

function legend(list, names, variable) {
  names.forEach((name, i) => {
    const item = make("li", undefined), swatch = make("i");
    swatch.style.background = `var(--${variable}-${i})`;
    item.append(swatch, name);
    list.append(item);
  });
}

function facts() {
  const { head, document: run, timeline } = data;
  at("title").textContent = data.title;
  const machine = [head.arch, head.cpu, `${(head.hz / 1e6).toLocaleString("en-US")} MHz`];
  if (run) machine.push(run.fidelity, `ended by ${run.exit.reason}, status ${run.exit.status}`);
  at("machine").textContent = machine.join(", ") + (run && run.what_if ? `. ${run.what_if}` : "");
  const list = [["simulated time", duration(head.time ?? timeline.end)], ["events traced", figure(timeline.events)]];
  if (run) {
    const { cycles, instructions } = run.counters;
    list.push(["cycles worked", figure(cycles)], ["instructions", figure(instructions)]);
    list.push(["per cycle", cycles ? figure(Math.round((100 * instructions) / cycles) / 100) : "-"]);
    list.push(["mode switches", figure(run.counters["mode-switches"])]);
    if ("ipc" in run.counters) list.push(["IPCs", figure(run.counters.ipc)]);
  }
  for (const [name, value] of list) {
    const box = make("div");
    box.append(make("dt", name), make("dd", value));
    at("facts").append(box);
  }
}

/* A bar of parts [name, value, colour]; a part that has the room says what it is. */
function stack(parts, what, className = "stack") {
  const whole = parts.reduce((sum, part) => sum + part[1], 0);
  const bar = make("div", undefined, { className });
  bar.setAttribute("role", "img");
  const words = [];
  for (const [name, value, colour] of parts) {
    if (!value) continue;
    const share = (100 * value) / whole;
    const said = `${name} ${figure(value)} (${share.toFixed(1)} %)`;
    const part = make("span", share > 9 && className === "stack" ? `${name} ${share.toFixed(0)} %` : "", { title: said });
    if (!part.textContent) part.className = "narrow";
    part.style.cssText = `flex: 0 0 ${share}%; background: var(--${colour})`;
    part.dataset.value = value;
    words.push(said);
    bar.append(part);
  }
  bar.setAttribute("aria-label", `${what}: ${words.join(", ") || "nothing"}`);
  return bar;
}

function bars(rows) {
  for (const { name, causes, user, kernel, sum } of rows) {
    const box = make("div", undefined, { className: "bar" });
    const parts = Object.entries(causes).map(([cause, value], i) => [cause, value, `cause-${i}`]);
    box.append(make("span", name, { className: "name" }), stack(parts, `${name} by cause`));
    box.append(make("span", figure(sum), { className: "sum" }));
    const rings = [["user", user, "ring-0"], ["kernel", kernel, "ring-1"]];
    box.append(stack(rings, `${name} by ring`, "stack rings"));
    at("bars").append(box);
  }
}

function tables() {
  const run = data.document;
  const counters = Object.keys(run.counters).filter((name) => !name.includes(":"));
  fill(at("counters"), ["counter", "both rings", "user", "kernel"],
    counters.map((name) => [name, run.counters[name], run.counters[`${name}:u`], run.counters[`${name}:k`]]));
  const whole = data.head.cycles_by_cause;
  const causes = Object.keys(whole);
  legend(at("causes"), causes, "cause");
  legend(at("rings"), ["user", "kernel"], "ring");
  const operations = run.ledger.map((entry) => ({
    name: entry.name,
    causes: Object.fromEntries(causes.map((cause) => [cause, entry.cycles_by_cause[cause] / entry.count])),
    user: entry.per_op["cycles:u"], kernel: entry.per_op["cycles:k"], sum: entry.per_op.cycles,
  }));
  const { cycles, "cycles:u": user, "cycles:k": kernel } = run.counters;
  bars([{ name: "whole run", causes: whole, user, kernel, sum: cycles }, ...operations]);
  if (!operations.length) {
    at("by-cause").remove();
    at("ledger-section").remove();
    return;
  }
  const names = operations.map((each) => each.name);
  fill(at("by-cause"), ["cause", ...names], causes.map((cause) => [cause, ...operations.map((each) => each.causes[cause])]));
  fill(at("ledger"), ["counter", ...names], [
    ["carried out", ...run.ledger.map((entry) => entry.count)],
    ...counters.map((name) => [name, ...run.ledger.map((entry) => entry.per_op[name])]),
  ]);
  for (const name of names)
    if (data.theory[name]) at("theory").append(make("p", `${name} is ${data.theory[name]}.`));
}

facts();
if (data.document) {
  tables();
} else {
  for (const id of ["breakdown", "ledger-section", "counters-section"]) at(id).remove();
}
