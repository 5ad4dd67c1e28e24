// The theme, before anything is drawn: dark unless the reader chose otherwise; red keeps eyes adapted to the night.
"use strict";
(() => {
  const themes = ["dark", "light", "red"];
  const kept = (() => {
    try {
      return localStorage.getItem("skystamp-theme");
    } catch {
      return null; // the browser keeps nothing for pages
    }
  })();
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = themes.includes(kept) ? kept : light ? "light" : "dark";
})();
