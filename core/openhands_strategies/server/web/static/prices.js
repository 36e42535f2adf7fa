// Prices of models that nobody knows: without them no budget can be kept.

import { textField } from "./fields.js";

const SHAPE = /^(.+)=(\d+\.?\d*|\.\d+),(\d+\.?\d*|\.\d+)$/;

/** A field whose value is the server's `prices`: `{model: [in, out]}`. */
export function pricesField() {
  const one = textField("prices", "Prices", {
    lines: 2,
    help:
      "For a budget where a model's price is unknown: MODEL=IN,OUT on a line of its own, in " +
      "dollars for a million tokens, for example openai/my-model=0.5,2.",
    check: (text) => {
      const wrong = words(text).find((word) => !SHAPE.test(word));
      return wrong ? `“${wrong}” is no price: write MODEL=IN,OUT.` : "";
    },
  });
  return { ...one, read: () => pricesIn(one.read() ?? "") };
}

function words(text) {
  return text.split(/\s+/).filter(Boolean);
}

function pricesIn(text) {
  const found = words(text).map((word) => SHAPE.exec(word));
  if (found.length === 0 || found.includes(null)) return undefined;
  return Object.fromEntries(found.map(([, model, ...pair]) => [model, pair.map(Number)]));
}
