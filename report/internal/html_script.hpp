// What the report does when it is used: shows a step's details, filters, sorts. Texts go into the page as text only.
#pragma once

#include <string_view>

namespace venvoy::report::internal {

inline constexpr std::string_view html_script = R"js(
"use strict";
(() => {
  const table = document.getElementById("step-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);

  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const block = (title, text, id) => {
    const part = make("div");
    const heading = make("h3", title);
    const pre = make("pre", text);
    pre.tabIndex = 0;
    pre.setAttribute("aria-label", title);
    part.append(heading, pre);
    return part;
  };

  const logOf = (data) => {
    const part = make("div");
    part.append(make("h3", "Log"));
    const pre = make("pre", undefined, "log");
    pre.tabIndex = 0;
    pre.setAttribute("aria-label", "Log");
    const add = (lines) => {
      for (const [time, level, text] of lines) {
        pre.append(make("span", time + " " + level + "  ", "at"), text + "\n");
      }
    };
    add(data.log);
    if (data.dropped) pre.append(make("span", "… " + data.dropped + " lines left out …\n", "at"));
    add(data.last_log);
    part.append(pre);
    return part;
  };

  const detailOf = (data) => {
    const cell = make("td");
    cell.colSpan = table.tHead.rows[0].cells.length;
    const list = make("dl", undefined, "facts");
    for (const [name, value] of data.facts) {
      list.append(make("dt", name), make("dd", value));
    }
    cell.append(list);
    if (data.needs.length) {
      cell.append(make("h3", "What it waited for"));
      const needs = make("ul", undefined, "needs");
      for (const need of data.needs) needs.append(make("li", need));
      cell.append(needs);
    }
    if (data.error) cell.append(block("Error", data.error));
    const pair = make("div", undefined, "pair");
    if (data.input) pair.append(block("Input", data.input));
    if (data.output) pair.append(block("Output", data.output));
    if (pair.childElementCount) cell.append(pair);
    if (data.log.length) cell.append(logOf(data));
    return cell;
  };

  const toggle = (button, row, number) => {
    const id = "detail-" + number;
    const there = document.getElementById(id);
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (there) {
      there.hidden = !open;
      return;
    }
    const detail = make("tr", undefined, "step-detail");
    detail.id = id;
    detail.append(detailOf(JSON.parse(document.getElementById("step-data-" + number).textContent)));
    row.after(detail);
  };

  for (const row of rows) {
    const head = row.cells[0];
    const number = row.dataset.number;
    if (!document.getElementById("step-data-" + number)) continue;
    const button = make("button", head.textContent);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", "detail-" + number);
    button.addEventListener("click", () => toggle(button, row, number));
    head.replaceChildren(button);
  }

  const tools = document.getElementById("step-tools");
  const words = document.getElementById("step-words");
  const state = document.getElementById("step-state");
  const order = document.getElementById("step-order");
  const count = document.getElementById("step-count");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const wanted = words.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = (!wanted || texts[at].includes(wanted)) && (!state.value || row.dataset.state === state.value);
      row.hidden = !fits;
      const detail = document.getElementById("detail-" + row.dataset.number);
      if (detail) detail.hidden = !fits || row.querySelector("button").getAttribute("aria-expanded") !== "true";
      if (fits) ++shown;
    });
    count.textContent = shown + " of " + rows.length + (rows.length === 1 ? " step" : " steps");
  };
  const sort = () => {
    const by = {
      worst: (a, b) => a.dataset.worst - b.dataset.worst,
      begin: (a, b) => a.dataset.begin - b.dataset.begin,
      name: (a, b) => a.cells[0].textContent.localeCompare(b.cells[0].textContent),
    }[order.value];
    for (const row of rows.slice().sort(by)) {
      const detail = document.getElementById("detail-" + row.dataset.number);
      body.append(row);
      if (detail) body.append(detail);
    }
  };
  words.addEventListener("input", apply);
  state.addEventListener("change", apply);
  order.addEventListener("change", sort);
  tools.hidden = false;
  apply();

  const openByName = () => {
    const match = /^#step-(\d+)$/.exec(location.hash);
    const row = match && rows.find((each) => each.dataset.number === match[1]);
    const button = row && row.querySelector("button");
    if (!button) return;
    if (button.getAttribute("aria-expanded") !== "true") button.click();
    row.scrollIntoView({ block: "center" });
    button.focus();
  };
  addEventListener("hashchange", openByName);
  openByName();
})();
)js";

}  // namespace venvoy::report::internal
