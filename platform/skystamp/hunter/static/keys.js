// Keys -> actions, wherever the reader is but in a field that takes text.
const ACTION = {
  j: "next",
  n: "next",
  ArrowDown: "next",
  k: "previous",
  p: "previous",
  ArrowUp: "previous",
  s: "SN",
  b: "bogus",
  u: "undo",
  a: "report",
  "?": "help",
  "/": "search",
  r: "refresh",
  t: "theme",
};
const TEXT = new Set(["text", "search", "number", "date", "password", "email"]);

function takesText(element) {
  if (element.isContentEditable || element.tagName === "TEXTAREA" || element.tagName === "SELECT") return true;
  return element.tagName === "INPUT" && TEXT.has(element.type);
}

export function installKeys(actions, isHelpOpen) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && takesText(event.target)) return event.target.blur();
    if (takesText(event.target) || (isHelpOpen() && event.key !== "?")) return;
    const isArrow = event.key.startsWith("Arrow");
    if (isArrow && event.target.closest(".right, .stretches, .scroll.answers")) return; // they scroll and choose there
    const number = "1234".indexOf(event.key);
    if (number >= 0) actions.stretch(number + 1);
    else if (ACTION[event.key]) actions[ACTION[event.key]]();
    else return;
    event.preventDefault();
  });
}
