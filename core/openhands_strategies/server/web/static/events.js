// What the main agent said and did, from its own events.

import { h } from "./dom.js";

const SHOWN = 200;
const LONG = 2_000;

/** `{element, add(event), pending()}`. */
export function eventLog() {
  const list = h("ol", { class: "log" });
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "log-title", hidden: true },
    h("h2", { id: "log-title" }, "What the main agent says and does"),
    list,
  );
  const seen = new Set();
  // Actions that nothing has answered yet, by the id of their call.
  const open = new Map();

  function add(event) {
    if (event.id) {
      // After a new connection all events come again.
      if (seen.has(event.id)) return;
      seen.add(event.id);
    }
    if (event.kind === "ActionEvent") open.set(event.tool_call_id, wholeAction(event));
    else if (event.tool_call_id) open.delete(event.tool_call_id);
    const line = lineOf(event);
    if (line === null) return;
    element.hidden = false;
    list.append(item(line, event.timestamp));
    while (list.children.length > SHOWN) list.firstElementChild.remove();
  }

  return { element, add, pending: () => [...open.values()].join("\n") };
}

function item({ who, text, tone = "" }, timestamp) {
  const time = timestamp ? new Date(timestamp) : null;
  return h(
    "li",
    { class: tone },
    h("span", { class: "by" }, who),
    longText(text),
    time && h("time", { datetime: time.toISOString() }, time.toLocaleTimeString()),
  );
}

/** An action with all its arguments: who allows it must have seen them. */
function wholeAction({ tool_name, action }) {
  const given = Object.entries(action ?? {}).filter(
    ([name, value]) => name !== "kind" && value !== null,
  );
  const words = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  return [tool_name, ...given.map(([name, value]) => `  ${name}: ${words(value)}`)].join("\n");
}

/** A text, cut after some lines when it is long, with a button that shows the rest. */
function longText(text) {
  const words = h("div", { class: "text" }, text);
  if (text.length < 500 && text.split("\n").length <= 7) return words;
  words.classList.add("cut");
  function open() {
    words.classList.remove("cut");
    more.remove();
  }
  const more = h("button", { type: "button", class: "link soft", on: { click: open } }, "Show all");
  return h("div", {}, words, more);
}

function lineOf(event) {
  if (event.kind === "MessageEvent") {
    const text = textOf(event.llm_message?.content);
    return text && { who: event.source === "user" ? "you" : "main", text: short(text) };
  }
  if (event.kind === "ActionEvent") {
    const detail = event.action ?? {};
    const words = detail.command ?? detail.description ?? detail.message ?? detail.path ?? "";
    const done = [
      event.tool_name,
      detail.path && detail.command ? `${words} ${detail.path}` : words,
    ];
    const thought = textOf(event.thought);
    return {
      who: "main",
      text: short([thought, done.filter(Boolean).join(" ")].filter(Boolean).join("\n")),
    };
  }
  if (event.kind === "AgentErrorEvent")
    return { who: "error", text: short(event.error ?? ""), tone: "bad" };
  if (event.kind === "ConversationErrorEvent") {
    return { who: "error", text: short(event.detail ?? event.code ?? ""), tone: "bad" };
  }
  return null;
}

function textOf(parts) {
  return (parts ?? [])
    .map((part) => (typeof part.text === "string" ? part.text : ""))
    .join("\n")
    .trim();
}

function short(text) {
  const whole = String(text);
  return whole.length > LONG ? `${whole.slice(0, LONG)} …` : whole;
}
