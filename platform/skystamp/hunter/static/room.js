// Before Aladin Lite: a frame without an origin has no storage, so it gets one that forgets.
"use strict";
(() => {
  const kept = new Map();
  const room = {
    getItem: (name) => (kept.has(name) ? kept.get(name) : null),
    setItem: (name, value) => void kept.set(name, String(value)),
    removeItem: (name) => void kept.delete(name),
    clear: () => kept.clear(),
    key: (i) => [...kept.keys()][i] ?? null,
    get length() {
      return kept.size;
    },
  };
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value: room });
})();
