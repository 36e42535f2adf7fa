// What a start needs to know: the fields of the form, and the body that they become.

import { choiceField, numberField, paramFields, textField } from "./fields.js";
import { overlayChoice } from "./overlays.js";
import { pricesField } from "./prices.js";

const WORKSPACE = "openhands-strategies-workspace";

/**
 * All fields for one strategy, each by its name; `all()` are those that count now.
 *
 * @param strategy The server's entry for it.
 * @param offered Entries of the overlays that may be laid on top.
 * @param profiles LLM profiles of the server.
 */
export function fieldsOf(strategy, offered, profiles) {
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
  const prices = pricesField();
  const { params, computed } = paramFields(strategy.params_schema, "params");
  const over = overlayChoice(strategy, offered);
  const laid = () => over.chosen().flatMap((one) => one.params);
  return {
    label: strategy.label ?? null,
    task,
    workspace,
    profile,
    budget,
    prices,
    params,
    computed,
    over,
    all: () => [
      ...[task, workspace, profile, budget, prices],
      ...[...params, over, ...laid()],
    ],
  };
}

function profileText(one) {
  const key = one.api_key_set ? "" : ", without a key";
  return one.model ? `${one.name} (${one.model}${key})` : one.name;
}

/** The body of plan and start; what was left empty is not in it. */
export function bodyOf(fields) {
  const over = fields.over.chosen();
  const own = {
    params: fields.params,
    computed: fields.computed,
    // Names in JSON are the user's own, and the server finds what they mean.
    label: over.length > 0 && !fields.computed ? fields.label : null,
  };
  const body = {
    task: fields.task.read(),
    workspace: fields.workspace.read().trim(),
    params: Object.assign({}, ...[own, ...over].map(values)),
    with: over.map((one) => one.name),
  };
  const more = {
    llm_profile: fields.profile.read(),
    max_budget: fields.budget.read(),
    prices: fields.prices.read(),
  };
  for (const [name, value] of Object.entries(more)) {
    if (value !== undefined) body[name] = value;
  }
  return body;
}

/**
 * The values of one part. With a label each is named in full, and one that was left empty
 * says so: else it would take another part's value of the same name.
 */
function values({ params, computed, label }) {
  const given = computed
    ? Object.entries(params[0].read() ?? {})
    : params.map((one) => [one.name, one.read()]);
  if (label === null) return Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const full = (name) => (name.includes(".") ? name : `${label}.${name}`);
  return Object.fromEntries(given.map(([name, value]) => [full(name), value ?? null]));
}

/** The field that the server means by a path: `params.budget.limit`, `with`, `prices.a.0`. */
export function fieldAt(fields, path) {
  const within = (start) => path === start || path.startsWith(`${start}.`);
  if (!within("params")) return fields.all().find((one) => within(one.path));
  const parts = [...fields.over.chosen(), fields];
  const named = parts.find(({ label }) => label !== null && path.startsWith(`params.${label}.`));
  const found = named && paramAt(named, path.slice(`params.${named.label}.`.length));
  if (found) return found;
  // Short for every part that has it; where it is wrong, the strategy below comes first.
  const name = path.slice("params.".length);
  return parts.map((one) => paramAt(one, name)).findLast(Boolean);
}

function paramAt({ params, computed }, name) {
  return computed ? params[0] : params.find((one) => one.name === name);
}

/** So that the next form of this tab starts with the same directory. */
export function keep(workspace) {
  sessionStorage.setItem(WORKSPACE, workspace);
}
