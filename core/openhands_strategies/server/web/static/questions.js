// What a start needs to know: the fields of the form, and the body that they become.

import { choiceField, jsonField, numberField, paramField, textField, tickField } from "./fields.js";

const WORKSPACE = "openhands-strategies-workspace";

/**
 * All fields for one strategy: `all` of them, and each by its name.
 *
 * @param strategy The server's entry for it.
 * @param others Strategies that may be laid on top.
 * @param profiles LLM profiles of the server.
 */
export function fieldsOf(strategy, others, profiles) {
  const task = textField("task", "Task", {
    lines: 4,
    required: true,
    help: "What the agents are to do, in your words.",
  });
  const workspace = textField("workspace", "Workspace", {
    required: true,
    value: sessionStorage.getItem(WORKSPACE) ?? "",
    help: "Absolute path of a directory on the server; the agents work in it.",
    check: (value) =>
      value === "" || /^([/\\]|[A-Za-z]:)/.test(value.trim())
        ? ""
        : "Workspace is an absolute path, for example /home/me/project.",
  });
  const profile = choiceField(
    "llm_profile",
    "Main model",
    [
      ["The server's own settings", undefined],
      ...profiles.map((one) => [profileText(one), one.name]),
    ],
    { help: "An LLM profile that is saved on the server." },
  );
  const budget = numberField("max_budget", "Budget in dollars", {
    above: 0,
    help: "All agents together; empty means no bound beside the strategy's own.",
  });
  const schema = strategy.params_schema;
  const params =
    schema === null || schema === undefined
      ? [
          jsonField("params", "Parameters", {
            help: "Only the strategy's code knows its parameters: write them as JSON.",
          }),
        ]
      : Object.entries(schema.properties ?? {}).map(([name, one]) =>
          paramField(name, one, (schema.required ?? []).includes(name)),
        );
  const computed = schema === null || schema === undefined;
  const over = others.map((one) =>
    tickField(`with.${one.name}`, one.name, { help: one.description ?? "" }),
  );
  return {
    task,
    workspace,
    profile,
    budget,
    params,
    computed,
    overlays: over,
    all: [task, workspace, profile, budget, ...params, ...over],
  };
}

function profileText(one) {
  const key = one.api_key_set ? "" : ", without a key";
  return one.model ? `${one.name} (${one.model}${key})` : one.name;
}

/** The body of plan and start; what was left empty is not in it. */
export function bodyOf(fields) {
  const params = fields.computed
    ? (fields.params[0].read() ?? {})
    : Object.fromEntries(
        fields.params
          .map((one) => [one.path.slice("params.".length), one.read()])
          .filter(([, value]) => value !== undefined),
      );
  const body = {
    task: fields.task.read(),
    workspace: fields.workspace.read().trim(),
    params,
    with: fields.overlays.filter((one) => one.read()).map((one) => one.path.slice("with.".length)),
  };
  const profile = fields.profile.read();
  const budget = fields.budget.read();
  if (profile !== undefined) body.llm_profile = profile;
  if (budget !== undefined) body.max_budget = budget;
  return body;
}

/** So that the next form of this tab starts with the same directory. */
export function keep(workspace) {
  sessionStorage.setItem(WORKSPACE, workspace);
}
