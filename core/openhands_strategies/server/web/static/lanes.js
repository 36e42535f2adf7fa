// One lane for the main agent and one for each sub-agent: when it worked, what it does now.

import { fill, h, icon, say } from "./dom.js";
import { dollars, seconds, stateOf, tokens } from "./words.js";

const HUES = 6;
const EARLIER = 3;

/** `{element, draw(report)}`; drawing again changes only what has changed. */
export function lanesView({ announce }) {
  const list = h("ol", { class: "lanes" });
  const scale = h(
    "div",
    { class: "scale", "aria-hidden": "true" },
    h("span", {}, "0 s"),
    h("span", {}, ""),
  );
  const escalations = h("div", { class: "escalations" });
  const element = h(
    "section",
    { class: "panel lanes-panel", "aria-labelledby": "lanes-title" },
    h("h2", { id: "lanes-title" }, "Who works"),
    escalations,
    scale,
    list,
  );
  const lanes = new Map();
  const hues = new Map([["main", 0]]);

  function hue(role) {
    if (!hues.has(role)) hues.set(role, 1 + ((hues.size - 1) % (HUES - 1)));
    return hues.get(role);
  }

  function draw(report) {
    const rows = [mainRow(report), ...report.subagents.map((one) => subRow(one, report))];
    const span = Math.max(1, ...rows.map((row) => row.from + row.seconds));
    say(scale.lastElementChild, seconds(span));
    const changes = [];
    // Those at work reach to the present, whenever their own clock was last read.
    for (const row of rows) row.to = row.state === "working" ? span : row.from + row.seconds;
    for (const row of rows) {
      let lane = lanes.get(row.id);
      if (!lane) {
        lane = newLane(row, hue(row.role));
        lanes.set(row.id, lane);
        list.append(lane.element);
      }
      const change = lane.draw(row, span);
      if (change) changes.push(change);
    }
    if (changes.length > 0) announce(changes.join(" "));
    drawEscalations(escalations, report.subagents);
  }

  return { element, draw };
}

function mainRow(report) {
  const rows = report.roles.filter((row) => row.role === "main");
  const sum = (key) => rows.reduce((all, row) => all + (row[key] ?? 0), 0);
  return {
    id: "main",
    role: "main",
    label: "decides and answers",
    model: rows[0]?.model ?? "",
    state: rows[0]?.state ?? report.status,
    activity: rows[0]?.activity ?? "",
    from: 0,
    seconds: Math.max(0, ...rows.map((row) => row.seconds)),
    cost: rows.some((row) => row.cost_usd === null) ? null : sum("cost_usd"),
    tokens: sum("input_tokens") + sum("output_tokens"),
    result: "",
  };
}

function subRow(one, report) {
  return {
    ...one,
    from: Math.max(0, one.started - report.created),
    cost: one.cost_usd,
    tokens: one.input_tokens + one.output_tokens,
  };
}

function newLane(row, hue) {
  const state = h("span", { class: "state" });
  const bar = h("div", { class: "bar" });
  const now = h("p", { class: "now" });
  const earlier = h("ul", { class: "earlier", "aria-label": "Before that" });
  const cost = h("dd", {});
  const used = h("dd", {});
  const time = h("dd", {});
  const text = h("div", { class: "text" });
  const result = h("details", { hidden: true }, h("summary", {}, "What it reported"), text);
  const element = h(
    "li",
    { class: `lane hue-${hue}` },
    h(
      "div",
      { class: "who" },
      h("h3", {}, row.role),
      state,
      h("p", { class: "label" }, row.label),
      h("p", { class: "model" }, row.model),
    ),
    h(
      "div",
      { class: "does" },
      h("div", { class: "track", "aria-hidden": "true" }, bar),
      now,
      earlier,
      result,
    ),
    h(
      "dl",
      { class: "uses" },
      h("div", {}, h("dt", {}, "Cost"), cost),
      h("div", {}, h("dt", {}, "Tokens"), used),
      h("div", {}, h("dt", {}, "Time"), time),
    ),
  );
  const past = [];
  let known = null;
  let doing = "";

  /** Show a row, and return the sentence for its change of state, if any. */
  function draw(next, span) {
    bar.style.setProperty("--from", `${(100 * next.from) / span}%`);
    bar.style.setProperty("--long", `${(100 * (next.to - next.from)) / span}%`);
    say(cost, dollars(next.cost));
    say(used, tokens(next.tokens));
    say(time, seconds(next.seconds));
    remember(next);
    const shown = next.state === "working" ? next.activity || "thinking" : "";
    say(now, shown);
    now.hidden = shown === "";
    result.hidden = !next.result;
    say(text, next.result ?? "");
    if (known === next.state) return "";
    known = next.state;
    const { words, drawing, tone } = stateOf(next.state);
    element.dataset.state = next.state;
    state.className = `state ${tone}`;
    fill(state, icon(drawing), words);
    const who = next.id === "main" || !next.label ? next.role : `${next.role}, ${next.label}`;
    return `${who}: ${words}.`;
  }

  function remember(next) {
    const words = next.state === "working" ? next.activity : "";
    if (words === doing) return;
    if (doing && doing !== "thinking") {
      past.unshift(doing);
      past.length = Math.min(past.length, EARLIER);
      fill(
        earlier,
        past.map((one) => h("li", {}, one)),
      );
    }
    doing = words;
  }

  return { element, draw };
}

function drawEscalations(place, subagents) {
  const found = subagents.filter((one) => one.state === "escalated");
  const shown = found.map((one) => one.id).join(" ");
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  fill(
    place,
    found.map((one) =>
      h(
        "p",
        { class: "escalation" },
        icon("up"),
        h(
          "span",
          {},
          h("strong", {}, one.label || one.role),
          ` was handed back by ${one.role}: the main agent takes it on itself.`,
        ),
      ),
    ),
  );
}
