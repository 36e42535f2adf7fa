// A run, live: its lanes, what it costs, what the main agent says, and how it ends.

import { fill, h, icon, say } from "./dom.js";
import { eventLog } from "./events.js";
import { lanesView } from "./lanes.js";
import { rolesTable } from "./roles.js";
import { amount, dollars, explain, isOpen, seconds, stateOf, tokens } from "./words.js";

const OFTEN = 700;
const HIDDEN = 5_000;
const SLOWEST = 15_000;
const CONTINUABLE = ["paused", "limit", "error", "stuck"];

export function runView(context, id) {
  const heading = h("h1", { tabindex: "-1" }, "Run");
  const state = h("span", { class: "state calm", id: "run-state" }, "asking the server …");
  const notice = h("p", { class: "problem", role: "alert", hidden: true });
  const waiting = h("section", {
    class: "panel asks",
    "aria-labelledby": "asks-title",
    hidden: true,
  });
  const asked = h("p", {});
  const answer = h("section", {
    class: "panel answer",
    "aria-labelledby": "answer-title",
    hidden: true,
  });
  const figures = h("dl", { class: "figures" });
  const budget = h("div", { class: "budget", hidden: true });
  const lanes = lanesView(context);
  const log = eventLog();
  const table = h("div", {
    class: "scroll",
    tabindex: "0",
    role: "region",
    "aria-label": "Use of models by role",
  });
  const stop = h(
    "button",
    { type: "button", class: "stop", hidden: true, on: { click: () => act("interrupt") } },
    icon("stop"),
    "Stop",
  );
  const goOn = h(
    "button",
    { type: "button", hidden: true, on: { click: () => act("run") } },
    icon("play"),
    "Go on",
  );
  const again = h("a", { class: "button", hidden: true }, "New run");
  let timer = null;
  let left = false;
  let report = null;
  let trouble = 0;
  let failure = "";
  let acting = false;

  async function poll() {
    clearTimeout(timer);
    try {
      const now = await context.request("GET", `api/strategies/runs/${id}`);
      if (left) return;
      trouble = 0;
      tell("");
      draw(now);
    } catch (error) {
      if (left) return;
      trouble += 1;
      tell(explain(error));
      // There is nothing to wait for where the server knows no such run.
      if (error.status === 404 || error.status === 422) {
        say(state, "unknown");
        return;
      }
    }
    if (!report || isOpen(report.status) || trouble > 0) {
      const pause = document.hidden ? HIDDEN : OFTEN;
      timer = setTimeout(poll, Math.min(pause * 2 ** trouble, SLOWEST));
    }
  }

  function tell(text) {
    notice.hidden = text === "";
    if (!notice.hidden) fill(notice, icon("cross"), h("span", {}, text));
  }

  function draw(now) {
    const before = report?.status;
    report = now;
    const { words, tone } = stateOf(now.status);
    say(heading, now.strategy.name ?? "Run");
    say(state, words);
    state.className = `state ${tone}`;
    if (before !== now.status) context.announce(`The run: ${words}.`);
    const open = isOpen(now.status);
    stop.hidden = !open || now.status === "idle";
    goOn.hidden = !CONTINUABLE.includes(now.status);
    again.hidden = open;
    again.href = context.href(`/strategy/${encodeURIComponent(now.strategy.name)}`);
    drawFigures(figures, now);
    drawBudget(budget, now);
    lanes.draw(now);
    fill(table, rolesTable(now));
    drawEnd(now);
    drawWaiting(now);
  }

  function drawEnd(now) {
    const error = now.error ? explain(now.error) : now.status === "error" ? failure : "";
    answer.hidden = !now.answer && !error;
    if (answer.hidden || answer.dataset.shown === now.answer + error) return;
    answer.dataset.shown = now.answer + error;
    fill(
      answer,
      h("h2", { id: "answer-title" }, error ? "Why it stopped" : "Answer"),
      error && h("p", { class: "problem" }, icon("cross"), h("span", {}, error)),
      now.answer && h("div", { class: "text" }, now.answer),
    );
  }

  function drawWaiting(now) {
    const asks = now.status === "waiting_for_confirmation";
    if (asks) say(asked, log.pending() || "It wants to go on with its next action.");
    if (waiting.hidden === !asks) return;
    waiting.hidden = !asks;
    if (!asks) return;
    fill(
      waiting,
      h(
        "h2",
        { id: "asks-title", tabindex: "-1" },
        icon("wait"),
        "The main agent asks for your yes",
      ),
      asked,
      h(
        "div",
        { class: "actions" },
        h(
          "button",
          { type: "button", class: "primary", on: { click: () => respond(true) } },
          "Allow",
        ),
        h("button", { type: "button", on: { click: () => respond(false) } }, "Refuse"),
      ),
    );
  }

  async function act(what, body) {
    if (acting) return;
    acting = true;
    stop.disabled = goOn.disabled = true;
    context.announce(what === "interrupt" ? "Stopping." : "Going on.");
    try {
      await context.request("POST", `api/conversations/${id}/${what}`, body);
      failure = "";
      await poll();
      // The status changes a moment after the answer; without a look the page would rest.
      clearTimeout(timer);
      timer = setTimeout(poll, OFTEN);
    } catch (error) {
      tell(explain(error));
    } finally {
      acting = false;
      stop.disabled = goOn.disabled = false;
    }
  }

  async function respond(accept) {
    waiting.hidden = true;
    const reason = accept ? "" : "The user refused.";
    await act("events/respond_to_confirmation", { accept, reason });
    // Upstream rests after a refusal, but the agent is to hear of it.
    if (!accept && !failure) await act("run");
  }

  function onEvent(event) {
    log.add(event);
    if (event.kind === "ConversationErrorEvent") failure = String(event.detail ?? event.code ?? "");
    // Someone else may have let it go on, so a report is due although it had ended.
    if (event.key === "execution_status" && report && !isOpen(report.status)) poll();
  }

  /** The events so far: a new connection gets them only when the main agent's step is over. */
  async function history() {
    const page = await context.request("GET", `api/conversations/${id}/events/search?limit=100`);
    for (const event of page.items) log.add(event);
  }

  const close = context.events?.(id, onEvent) ?? (() => {});
  // Where this fails, the report has failed as well and says why.
  history().catch(() => {});
  const seen = () => document.hidden || poll();
  document.addEventListener("visibilitychange", seen);
  poll();
  const element = h(
    "div",
    { class: "run" },
    h("a", { class: "back", href: context.href("/") }, icon("back"), "All strategies"),
    h(
      "div",
      { class: "run-head" },
      h("div", {}, heading, state),
      h("div", { class: "actions" }, again, goOn, stop),
    ),
    notice,
    waiting,
    h("div", { class: "panel numbers" }, figures, budget),
    answer,
    lanes.element,
    h(
      "section",
      { class: "panel", "aria-labelledby": "use-title" },
      h("h2", { id: "use-title" }, "Tokens and dollars"),
      table,
    ),
    log.element,
  );
  return {
    element,
    title: "Run",
    leave() {
      left = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      close();
    },
  };
}

function drawFigures(figures, now) {
  const sum = (key) => now.roles.reduce((all, row) => all + (row[key] ?? 0), 0);
  const working = now.subagents.filter((one) => one.state === "working").length;
  const main = now.roles.find((row) => row.role === "main");
  const rows = [
    ["Cost", dollars(now.cost_usd)],
    ["Tokens", tokens(sum("input_tokens") + sum("output_tokens"))],
    ["Model calls", String(sum("calls"))],
    ["Time", seconds(main?.seconds ?? 0)],
    ["Sub-agents at work", String(working)],
  ];
  if (figures.children.length === rows.length) {
    rows.forEach(([, value], number) => say(figures.children[number].lastElementChild, value));
    return;
  }
  fill(
    figures,
    rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function drawBudget(budget, now) {
  budget.hidden = !now.max_budget || now.cost_usd === null;
  if (budget.hidden) return;
  if (!budget.firstElementChild) {
    const bar = h("progress", { id: "budget", max: now.max_budget });
    fill(budget, h("label", { for: "budget" }, `of a budget of ${amount(now.max_budget)}`), bar);
  }
  budget.lastElementChild.value = Math.min(now.cost_usd, now.max_budget);
}
