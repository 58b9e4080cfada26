"use strict";
// What is shown comes from the API of the same server; texts are always set as texts, never as HTML.

const element = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name === "on") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

async function load(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => {
    throw new Error("The server does not answer; this is what it said last.");
  });
  if (answer.status === 401) throw new Error("The token is missing: open the address that the server printed when it started.");
  if (!answer.ok) throw new Error(`${path}: status ${answer.status}`);
  return answer.json();
}

function say(text) {
  if (element("status").textContent !== text) element("status").textContent = text;
}

function time(text) {
  if (!text) return make("span", { class: "soft" }, "–");
  return make("time", { datetime: text }, new Date(text).toLocaleString());
}

function duration(from, to) {
  if (!from) return "–";
  const seconds = ((to ? new Date(to) : new Date()) - new Date(from)) / 1000;
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

const kinds = { succeeded: "good", allow: "good", failed: "bad", denied: "bad", deny: "bad", error: "bad",
  running: "busy", queued: "busy", allowed_on_error: "busy" };
const signs = { good: "✓", bad: "✗", busy: "…" };

// Never by colour alone.
function word(state) {
  const kind = kinds[state] || "soft";
  return make("span", { class: kind }, `${signs[kind] || "–"} ${String(state).replaceAll("_", " ")}`);
}

function text(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

// Rows that are as before are left alone: the focus stays where it is.
function fill(table, rows, names) {
  const seen = rows.map((cells) => cells.map((cell) => cell.textContent ?? cell).join("\t")).join("\n");
  if (table.dataset.seen === seen) return;
  table.dataset.seen = seen;
  const body = table.tBodies[0];
  body.replaceChildren(...rows.map((cells) => make("tr", {}, ...cells.map((cell, index) =>
    make("td", { "data-name": names[index] }, cell)))));
  table.hidden = rows.length === 0;
}

// --- runs ---

const watched = new Map();  // run id -> EventSource
const shown = new Map();    // run id -> its card
let detail = null;

function stepList(run) {
  return make("ul", { class: "steps", "aria-label": `Steps of ${run.workflow}` }, ...run.steps.map((step) =>
    make("li", { "data-step": step.id, "data-state": step.state }, make("strong", {}, step.id), " ", word(step.state),
      step.output_id ? ` → ${step.output_id}` : null,
      step.started ? make("span", { class: "soft" }, ` ${duration(step.started, step.ended)}`) : null,
      step.error ? make("div", { class: "bad" }, step.error) : null)));
}

function graph(run) {
  if (!run.steps.length || !run.steps[0].needs) return null;  // of a run before this server there is none
  const picture = make("img", { alt: `Graph of ${run.workflow}; its steps are listed below`,
    src: `/v1/runs/${encodeURIComponent(run.run)}/graph.svg?${run.steps.map((step) => step.state[0]).join("")}` });
  return make("div", { class: "graph", tabindex: "0", role: "group", "aria-label": "Graph" }, picture);
}

function runBody(run) {
  const done = run.steps.filter((step) => !["waiting", "running"].includes(step.state)).length;
  return [
    make("p", {}, word(run.state), ` ${run.workflow} `, make("span", { class: "soft" }, `by ${run.actor}`)),
    run.steps.length ? make("progress", { max: run.steps.length, value: done, "aria-label": `${done} of ${run.steps.length} steps have ended` }) : null,
    graph(run),
    stepList(run),
    run.reason ? make("p", { class: "bad" }, run.reason) : null,
    run.output_id ? make("h4", {}, `Output ${run.output_id}`) : null,
    run.output_id ? make("pre", { tabindex: "0" }, JSON.stringify(run.output_data, null, 2)) : null,
  ];
}

async function showRun(id) {
  const run = await load(`/v1/runs/${encodeURIComponent(id)}`);
  const card = shown.get(id);
  if (card) card.querySelector(".body").replaceChildren(...runBody(run).filter(Boolean));
  if (detail === id) {
    element("run-detail").replaceChildren(make("div", { class: "run" }, make("h3", {}, `Run ${id}`),
      ...runBody(run).filter(Boolean)));
  }
  return run;
}

async function cancelRun(id) {
  const answer = await fetch(`/v1/runs/${encodeURIComponent(id)}/cancel`, { method: "POST", credentials: "same-origin" });
  const body = await answer.json();
  say(answer.ok ? `Run ${id} is being cancelled.` : `Not cancelled: ${text(body.reason || (body.error || {}).message)}`);
}

function watch(id) {
  if (watched.has(id)) return;
  const source = new EventSource(`/v1/runs/${encodeURIComponent(id)}/events`);
  let soon = null;
  source.onmessage = () => {
    if (soon === null) soon = setTimeout(() => { soon = null; showRun(id).catch(() => {}); }, 150);
  };
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) { watched.delete(id); refresh(); } };
  watched.set(id, source);
}

async function showRuns() {
  const { runs } = await load("/v1/runs?limit=100");
  const live = runs.filter((run) => ["queued", "running"].includes(run.state));
  const ids = new Set(live.map((run) => run.run));
  for (const [id, card] of shown) {
    if (ids.has(id)) continue;
    card.remove();
    shown.delete(id);
    if (watched.has(id)) watched.get(id).close();
    watched.delete(id);
  }
  for (const run of live) {
    if (!shown.has(run.run)) {
      const card = make("article", { class: "run", "aria-label": `Run ${run.run}` }, make("h3", {}, `Run ${run.run}`),
        make("div", { class: "body" }),
        make("button", { type: "button", on: () => cancelRun(run.run).catch((error) => say(error.message)) }, `Cancel run ${run.run}`));
      shown.set(run.run, card);
      element("now-runs").append(card);
    }
    watch(run.run);
    await showRun(run.run);
  }
  element("now-empty").hidden = live.length > 0;
  const ended = runs.filter((run) => !ids.has(run.run));
  element("history-empty").hidden = ended.length > 0;
  fill(element("history-table"), ended.map((run) => [
    make("button", { type: "button", class: "link", on: () => {
      detail = run.run;
      showRun(run.run).then(() => element("run-detail").focus()).catch((error) => say(error.message));
    } }, run.run),
    run.workflow, word(run.state), time(run.started), duration(run.started, run.ended)]),
    ["Run", "Workflow", "State", "Started", "Took"]);
  return live.length;
}

// --- rules and decisions ---

async function showRules() {
  const [rules, mode] = await Promise.all([load("/v1/rules"), load("/v1/mode")]);
  const rows = [];
  const scope = (name, entries) => {
    for (const [action, rule] of Object.entries(entries))
      rows.push([action, name, rule.policyRuleURI, text(rule.parameters), rule.changed_by || "–", time(rule.changed_at)]);
  };
  scope("network", rules.network);
  for (const [cluster, entries] of Object.entries(rules.clusters)) scope(`cluster ${cluster}`, entries);
  const ruled = new Set(Object.keys(rules.network));
  for (const action of rules.actions) if (!ruled.has(action)) rows.push([action, "network", "no rule: allowed", "", "", ""]);
  fill(element("rules-table"), rows, ["Action", "Scope", "Rule", "Parameters", "Changed by", "Changed"]);
  element("rules-mode").textContent = `Revision ${rules.revision}. Policies are evaluated ` +
    (mode.mode === "remote" ? `by the executor ${mode.executor_id}` : "on this machine") + ` (said by: ${mode.decided_by}).`;
}

async function showDecisions() {
  const outcome = element("decision-filter").value;
  const { decisions } = await load(`/v1/decisions?limit=100${outcome ? `&outcome=${outcome}` : ""}`);
  decisions.reverse();
  element("decisions-empty").hidden = decisions.length > 0;
  fill(element("decisions-table"), decisions.map((each) => [
    time(each.ts), each.action + (each.dry_run ? " (dry run)" : ""), word(each.outcome),
    text(each.reason) || (each.error ? `${each.error.kind}: ${each.error.message}` : ""), each.rule || "", each.actor || ""]),
    ["When", "Action", "Outcome", "Reason", "Rule", "Who"]);
}

let pending = null;
async function refresh() {
  clearTimeout(pending);
  try {
    const [live] = await Promise.all([showRuns(), showRules(), showDecisions()]);
    say(live ? `${live} running.` : "Up to date.");
  } catch (error) {
    say(error.message);
  }
  if (!document.hidden) pending = setTimeout(refresh, 3000);
}

element("decision-filter").addEventListener("change", () => showDecisions().catch((error) => say(error.message)));
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
refresh();
