// Overlays: which of them to lay on top, and the fields of their parameters.

import { h, say } from "./dom.js";
import { paramFields, tickField } from "./fields.js";

/**
 * A choice of overlays, in order: a field that the server calls `with`, and `chosen()`, those
 * that are ticked.
 *
 * @param base The server's entry for the strategy below.
 * @param offered The entries of those that may be laid on top.
 */
export function overlayChoice(base, offered) {
  const groups = offered.map(group);
  const error = h("p", { class: "error", id: "with-error" });
  const set = h(
    "fieldset",
    { tabindex: "-1", "aria-describedby": error.id },
    h("legend", {}, "On top, in this order"),
    groups.map((one) => [one.tick.element, one.set]),
    error,
  );
  const element = h(
    "details",
    { class: "more", hidden: groups.length === 0 },
    h("summary", {}, "Lay on top"),
    set,
  );

  /** What is ticked: `{name, label, computed, params}`, with the labels that the server gives. */
  function chosen() {
    const taken = new Set([base.label]);
    return groups
      .filter((one) => one.tick.read())
      .map((one) => {
        const label = freeLabel(one.entry.label, taken);
        taken.add(label);
        return { ...one, name: one.entry.name, label };
      });
  }

  function verify() {
    say(error, "");
    return "";
  }

  return {
    path: "with",
    element,
    chosen,
    fail: (text) => say(error, text),
    verify,
    focus: () => set.focus(),
  };
}

/** An overlay's tick, and its parameters, which show once it is ticked. */
function group(entry) {
  const { name } = entry;
  const tick = tickField(`with.${name}`, name, { help: entry.description ?? "" });
  const given = paramFields(entry.params_schema, `params.${entry.label ?? name}`);
  const set = h(
    "fieldset",
    { class: "params", hidden: true },
    h("legend", {}, `Parameters of ${name}`),
    given.params.map((one) => one.element),
  );
  tick.element.addEventListener("input", () => {
    set.hidden = !tick.read() || given.params.length === 0;
  });
  return { entry, tick, set, ...given };
}

/** As the server does where two parts would have the same label. */
function freeLabel(wanted, taken) {
  if (!wanted) return null;
  let label = wanted;
  for (let count = 2; taken.has(label); count += 1) label = `${wanted}-${count}`;
  return label;
}
