// What a strategy brings along, said before it is started.

import { h } from "./dom.js";
import { count } from "./words.js";

const KINDS = [
  ["agents", "sub-agent"],
  ["tools", "tool"],
  ["hooks", "hook"],
  ["mcp", "MCP server"],
  ["skills", "skill"],
];

/** One line: "1 sub-agent, 2 tools, 1 hook". */
export function brings(capabilities) {
  const parts = KINDS.map(([key, one]) => [(capabilities?.[key] ?? []).length, one])
    .filter(([number]) => number > 0)
    .map((part) => count(...part));
  return parts.join(" · ") || "brings nothing of its own";
}

/** The whole of it, as a section. */
export function capabilityPanel(capabilities, trusted) {
  const {
    hooks = [],
    mcp = [],
    tools = [],
    skills = [],
    agents = [],
    dependencies = [],
  } = capabilities ?? {};
  const rows = [
    ["Sub-agents", agents.map((name) => h("code", {}, name))],
    ["Tools", tools.map((name) => h("code", {}, name))],
    ["Hooks, run as commands", hooks.map(hook)],
    ["MCP servers", mcp.map((one) => code(one.name, one.command ?? one.url))],
    ["Skills", skills.map((one) => code(one.name, one.description, false))],
    ["Dependencies", dependencies.map((name) => h("code", {}, name))],
  ].filter(([, items]) => items.length > 0);
  return h(
    "section",
    { class: "panel brings-panel", "aria-labelledby": "brings-title" },
    h("h2", { id: "brings-title" }, "What it brings along"),
    trusted === false &&
      h(
        "p",
        { class: "problem" },
        "Nobody on the server has agreed to run it: ",
        h("code", {}, "ohs trust"),
      ),
    rows.length === 0 && h("p", { class: "soft" }, "No hooks, MCP servers or tools of its own."),
    h(
      "dl",
      {},
      rows.map(([title, items]) => [h("dt", {}, title), items.map((item) => h("dd", {}, item))]),
    ),
  );
}

function hook(one) {
  return code(
    `${one.event} ${one.matcher && one.matcher !== "*" ? one.matcher : ""}`.trim(),
    one.command,
  );
}

function code(name, text, mono = true) {
  return [
    h("span", {}, name, " "),
    text ? h(mono ? "code" : "span", { class: "soft" }, text) : null,
  ];
}
