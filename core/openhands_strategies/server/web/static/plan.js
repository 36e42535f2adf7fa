// The plan of a start: every role with its model, tools and limits, and who brought it.

import { h } from "./dom.js";
import { amount, count, tokens } from "./words.js";

const LIMITS = {
  iterations: (value) => `at most ${count(value, "step")}`,
  steps: (value) => `at most ${count(value, "model call")}`,
  rounds: (value) => `at most ${count(value, "round")}`,
  budget: (value) => `at most ${amount(value)}`,
  warn_at: (value) => `warns at ${Math.round(value * 100)} % of them`,
};

/** A section for the document of `POST …/plan`. */
export function planPanel(plan) {
  const over = (plan.strategy?.overlays ?? []).map((one) => one.name);
  return h(
    "section",
    { class: "panel", "aria-labelledby": "plan-title" },
    h("h2", { id: "plan-title", tabindex: "-1" }, "The plan"),
    h("p", { class: "soft" }, "Nothing has run yet. This is what a start would use."),
    over.length > 0 && h("p", {}, `With ${over.join(", ")} on top.`),
    h(
      "ul",
      { class: "plan-roles" },
      (plan.roles ?? []).map((role) => roleItem(role, plan)),
    ),
    list("Hooks", plan.hooks, (one) => [
      `${one.event} `,
      h("code", {}, one.written ?? one.command),
    ]),
    list("MCP servers", plan.mcp, (one) => [
      `${one.name} `,
      h("code", {}, (one.written ?? []).join(" ") || one.url),
    ]),
    list("Skills", plan.skills, (one) => `${one.name} (${one.when})`),
  );
}

function roleItem(role, plan) {
  const row = (plan.prompt_tokens ?? []).find((one) => one.role === role.role);
  const limits = Object.entries(role.limits ?? {}).map(
    ([name, value]) => LIMITS[name]?.(value) ?? `${name} ${value}`,
  );
  const facts = [
    role.after?.length ? `after ${role.after.join(", ")}` : "",
    role.concurrency > 1 ? `${role.concurrency} at the same time` : "",
    ...limits,
    row ? `${tokens(row.total)} tokens before it starts` : "",
    role.from?.part && role.from.part !== plan.strategy?.name ? `from ${role.from.part}` : "",
  ].filter(Boolean);
  return h(
    "li",
    {},
    h(
      "h3",
      {},
      role.role,
      " ",
      h("span", { class: "model" }, role.placeholder ? "no model yet" : role.model),
    ),
    h(
      "p",
      { class: "chips" },
      (role.tools ?? []).map((tool) => h("code", {}, tool)),
    ),
    h("p", { class: "soft" }, facts.join(" · ")),
  );
}

function list(title, items, words) {
  if (!items?.length) return null;
  return [
    h("h3", {}, title),
    h(
      "ul",
      { class: "plain" },
      items.map((one) => h("li", {}, words(one))),
    ),
  ];
}
