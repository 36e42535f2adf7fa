// Fields of a form: a label, a control, what it takes, and the error that stands at it.

import { h, say } from "./dom.js";

let made = 0;

/**
 * A field around a control.
 *
 * @param path What the server calls it: `task`, `params.sidekicks`.
 * @param control The input, select or textarea.
 * @param options `{label, help, required, read, check}`: `read` returns the value, or
 *   undefined for "not given"; `check` returns what is wrong with the control, or "".
 */
export function field(path, control, { label, help = "", required = false, read, check }) {
  const id = `field-${(made += 1)}`;
  const error = h("p", { class: "error", id: `${id}-error` });
  const helper = h("p", { class: "help", id: `${id}-help` }, help);
  control.id = id;
  control.name = path;
  control.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  if (required) control.setAttribute("aria-required", "true");
  const own = { path, label, element: null, id, read, fail, verify, focus: () => control.focus() };

  function fail(text) {
    say(error, text);
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }

  function verify() {
    const empty = read() === undefined;
    const text = required && empty ? `${label} is needed.` : (check?.() ?? "");
    fail(text);
    return text;
  }

  // An error goes as soon as it is mended. A new one waits for the next button: one that
  // appeared while a button is being pressed would move the button away.
  control.addEventListener("input", () => {
    if (control.hasAttribute("aria-invalid")) verify();
  });
  const name = h(
    "label",
    { for: id },
    label,
    required && h("span", { class: "needed", "aria-hidden": "true" }, " needed"),
  );
  const ticked = control.type === "checkbox";
  own.element = h(
    "div",
    { class: ticked ? "field tick" : "field" },
    ticked ? h("div", {}, control, name) : [name, control],
    help && helper,
    error,
  );
  if (!help) control.setAttribute("aria-describedby", `${id}-error`);
  return own;
}

/** A field for text; empty counts as not given. */
export function textField(path, label, { lines = 1, value = "", check, ...options } = {}) {
  const control =
    lines > 1
      ? h("textarea", { rows: lines })
      : h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  control.value = value;
  return field(path, control, {
    ...options,
    label,
    read: () => (control.value.trim() === "" ? undefined : control.value),
    check: () => check?.(control.value) ?? "",
  });
}

/** A field for a number within bounds; `whole` allows no fraction. */
export function numberField(
  path,
  label,
  { whole = false, minimum, maximum, above, value, help = "", ...options },
) {
  const control = h("input", {
    type: "text",
    inputmode: whole ? "numeric" : "decimal",
    autocomplete: "off",
    value,
  });
  function check() {
    const text = control.value.trim();
    if (text === "") return "";
    const number = Number(text);
    if (!Number.isFinite(number) || (whole && !Number.isInteger(number))) {
      return `${label} takes ${whole ? "a whole number" : "a number"}.`;
    }
    if (above !== undefined && number <= above) return `${label} is more than ${above}.`;
    if (minimum !== undefined && number < minimum) return `${label} is at least ${minimum}.`;
    if (maximum !== undefined && number > maximum) return `${label} is at most ${maximum}.`;
    return "";
  }
  function read() {
    const text = control.value.trim();
    if (text === "") return undefined;
    const number = Number(text);
    // What is no number goes as it is; the server says the same as `check`.
    return Number.isFinite(number) ? number : text;
  }
  const range = rangeText(whole, minimum, maximum);
  return field(path, control, {
    ...options,
    label,
    help: [help, range].filter(Boolean).join(" "),
    read,
    check,
  });
}

function rangeText(whole, minimum, maximum) {
  const kind = whole ? "A whole number" : "A number";
  if (minimum !== undefined && maximum !== undefined)
    return `${kind} from ${minimum} to ${maximum}.`;
  if (minimum !== undefined) return `${kind} of at least ${minimum}.`;
  if (maximum !== undefined) return `${kind} of at most ${maximum}.`;
  return "";
}

/** A choice; `options` is a list of `[words, value]`, and the value may be undefined. */
export function choiceField(path, label, options, { chosen, ...more } = {}) {
  const index = Math.max(
    0,
    options.findIndex(([, value]) => value === chosen),
  );
  const control = h(
    "select",
    {},
    options.map(([words], number) =>
      h("option", { value: number, selected: number === index }, words),
    ),
  );
  return field(path, control, { ...more, label, read: () => options[Number(control.value)][1] });
}

export function tickField(path, label, { value = false, ...options } = {}) {
  const control = h("input", { type: "checkbox" });
  control.checked = value;
  return field(path, control, { ...options, label, read: () => control.checked });
}

/**
 * The fields of a strategy's parameters, each with its `name`: `{params, computed}`. Where only
 * the code knows the parameters, `computed` is true, and there is one field for all as JSON.
 *
 * @param schema JSON Schema of the parameters, or null.
 * @param path What the server calls them all: `params`, `params.budget`.
 */
export function paramFields(schema, path) {
  if (schema === null || schema === undefined) {
    const help = "Only the strategy's code knows its parameters: write them as JSON.";
    return { params: [jsonField(path, "Parameters", { help })], computed: true };
  }
  const needed = schema.required ?? [];
  const params = Object.entries(schema.properties ?? {}).map(([name, one]) => ({
    ...paramField(`${path}.${name}`, name, one, needed.includes(name)),
    name,
  }));
  return { params, computed: false };
}

function paramField(path, label, schema, required) {
  const given = { help: sentence(schema.description), required };
  if (schema.enum) {
    const options = schema.enum.map((value) => [String(value), value]);
    if (schema.default === undefined)
      options.unshift([required ? "Choose …" : "Not set", undefined]);
    return choiceField(path, label, options, { ...given, chosen: schema.default });
  }
  if (schema.type === "boolean") return booleanField(path, label, schema, given);
  if (schema.type === "integer" || schema.type === "number") {
    const { minimum, maximum, default: value } = schema;
    return numberField(path, label, {
      ...given,
      whole: schema.type === "integer",
      minimum,
      maximum,
      value,
    });
  }
  if (schema.format === "secret-name") return secretField(path, label, schema, given);
  return textField(path, label, { ...given, value: schema.default });
}

function booleanField(path, label, schema, given) {
  // A checkbox has no third state, so only a default makes one of it.
  if (schema.default !== undefined) {
    return tickField(path, label, { ...given, required: false, value: schema.default });
  }
  const options = [
    ["Not set", undefined],
    ["Yes", true],
    ["No", false],
  ];
  return choiceField(path, label, options, given);
}

function secretField(path, label, schema, given) {
  const shape = new RegExp(`^(?:${schema.pattern ?? ".*"})$`);
  const help =
    `${given.help} The name of an environment variable of the server ` +
    "that holds the secret, never the secret itself.";
  return textField(path, label, {
    ...given,
    help: help.trim(),
    value: schema.default,
    check: (value) =>
      value === "" || shape.test(value)
        ? ""
        : `${label} is the name of an environment variable: letters, digits and _, not the secret.`,
  });
}

function sentence(text) {
  if (!text) return "";
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Parameters as one JSON object, for a strategy whose parameters only its code knows. */
function jsonField(path, label, options = {}) {
  const control = h("textarea", { rows: 4, spellcheck: "false", class: "mono" });
  function parsed() {
    const text = control.value.trim();
    if (text === "") return { value: undefined };
    try {
      const value = JSON.parse(text);
      const plain = value !== null && typeof value === "object" && !Array.isArray(value);
      return plain ? { value } : { wrong: `${label} must be one JSON object.` };
    } catch (error) {
      return { wrong: `${label} is no JSON: ${error.message}` };
    }
  }
  return field(path, control, {
    ...options,
    label,
    read: () => parsed().value,
    check: () => parsed().wrong ?? "",
  });
}
