// The page of the server itself: the address after `#` says what is shown.

import { mount } from "./app.js";
import { sessionKeys } from "./key.js";
import { ownServer } from "./transport.js";

const root = document.getElementById("strategies");
const app = {};
const keys = sessionKeys(root, () => app.keyChanged?.());

const place = {
  read: () => location.hash.slice(1),
  href: (to) => `#${to}`,
  go: (to) => {
    location.hash = to;
  },
  watch: (listener) => addEventListener("hashchange", listener),
};

Object.assign(
  app,
  mount(root, {
    transport: ownServer(new URL("../", import.meta.url), keys),
    place,
    keys,
    title: (text) => {
      document.title = text;
    },
  }),
);
