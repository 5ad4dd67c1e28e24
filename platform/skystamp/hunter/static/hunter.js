// The page's behaviour: choosing by list, map and keys; votes; pictures on demand. Without it links and forms do the same.
import { installKeys } from "./keys.js";

const base = document.documentElement.dataset.base;
const word = document.querySelector('meta[name="word"]').content;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const place = $("#panel");
const parts = new Map(); // key -> promise of a panel's HTML
const KEPT = 30;

// ------------------------------------------------------------------------------------------------------------- telling

let fading;
function tell(text, kind = "") {
  const told = $("#told");
  told.textContent = text;
  told.className = `shown ${kind}`;
  clearTimeout(fading);
  fading = setTimeout(() => (told.className = ""), 4000);
}

async function asked(path, options = {}) {
  const answer = await fetch(`${base}/${path}`, options);
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Error(body.error?.message ?? `The service answered ${answer.status}.`);
}

// ------------------------------------------------------------------------------------------------------------ choosing

const rows = () => $$("#table tbody tr").filter((row) => !row.hidden);
const current = () => $("#table tbody tr.now");
const opened = () => $(".candidate", place)?.dataset.key ?? "";
const dotOf = (key) => $$("#sky circle").find((dot) => dot.dataset.key === key);

function address(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  return url;
}

function part(key) {
  if (!parts.has(key)) {
    const [survey, ...name] = key.split("/");
    const path = `objects/${encodeURIComponent(survey)}/${encodeURIComponent(name.join("/"))}${location.search}`;
    const wanted = asked(path).then((answer) => answer.text());
    wanted.catch(() => parts.delete(key));
    parts.set(key, wanted);
    if (parts.size > KEPT) parts.delete(parts.keys().next().value);
  }
  return parts.get(key);
}

function mark(key) {
  for (const row of $$("#table tbody tr")) {
    const is = row.dataset.key === key;
    row.classList.toggle("now", is);
    const link = $("a", row);
    if (is) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const dot of $$("#sky circle.now")) dot.classList.remove("now");
  const dot = dotOf(key);
  if (dot) {
    dot.classList.add("now");
    dot.parentNode.append(dot); // above the others
  }
}

async function choose(row, { focus = true, said = "" } = {}) {
  if (!row) return;
  const key = row.dataset.key;
  mark(key);
  history.replaceState(null, "", address({ o: key }));
  if (focus) {
    $("a", row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  document.body.classList.add("choosing");
  try {
    const html = await part(key);
    if (current()?.dataset.key !== key) return; // another was chosen meanwhile
    show(html);
    const all = rows();
    const at = all.indexOf(row);
    tell(`${said}${key.split("/").slice(1).join("/")}, ${at + 1} of ${all.length}`, said && "done");
    if (all[at + 1]) part(all[at + 1].dataset.key).catch(() => {}); // asked again, and told, when it is chosen
  } catch (fault) {
    tell(fault.message, "fault");
  } finally {
    document.body.classList.remove("choosing");
  }
}

function show(html) {
  place.innerHTML = html; // a template of ours, which escapes what packets hold; the content policy runs none of it
  $("#main").classList.add("has-panel");
  place.scrollTop = 0;
  if (matchMedia("(max-width: 900px)").matches) place.scrollIntoView({ block: "start" });
  ready();
}

function step(by, said = "") {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.dataset.key === (current()?.dataset.key ?? opened()));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (next < 0 || next >= all.length) tell(said + (by > 0 ? "That was the last one." : "This is the first one."), said && "done");
  else choose(all[next], { said });
}

// -------------------------------------------------------------------------------------------------------------- voting

async function post(path, fields) {
  const answer = await asked(path, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded", "x-word": word },
    body: new URLSearchParams(fields),
  });
  return answer.json();
}

function settle(answer) {
  parts.delete(answer.object);
  const row = $$("#table tbody tr").find((one) => one.dataset.key === answer.object);
  if (row) $(".col-state", row).innerHTML = answer.parts.state;
  if (opened() === answer.object && answer.parts.verdict) $("#verdict").innerHTML = answer.parts.verdict;
}

async function vote(label) {
  const key = opened();
  if (!key) return tell("Choose a candidate first.");
  if (!$("#vote")) return tell($(".vetting .barred", place)?.textContent ?? "Sign in to vote.", "fault");
  try {
    const answer = await post("votes", { object: key, label });
    settle(answer);
    if (label && $("#advance")?.checked && current()) step(1, `${answer.said}. Now `);
    else tell(answer.said, "done");
  } catch (fault) {
    tell(fault.message, "fault");
  }
}

async function undo() {
  try {
    const answer = await post("votes/undo", {});
    settle(answer);
    const row = rows().find((one) => one.dataset.key === answer.object);
    if (row && opened() !== answer.object) await choose(row, { said: `${answer.said}. ` });
    else tell(answer.said, "done");
  } catch (fault) {
    tell(fault.message, "fault");
  }
}

// ------------------------------------------------------------------------------------------------------ reports to TNS

let asking;
const reported = () => $("#report", place);

async function report() {
  const link = $("[data-report]", place);
  if (!link) return tell(opened() ? "A report is for a supernova that people have confirmed." : "Choose a candidate first.");
  tell("Looking at it, and asking TNS.");
  try {
    const answer = await asked(new URL(link.href).pathname.slice(base.length + 1), { headers: { "x-part": "1" } });
    $("#report-place").innerHTML = await answer.text(); // a template of ours, as the panel is
    tell("Not sent: this is what would be.");
    shown();
  } catch (fault) {
    tell(fault.message, "fault");
  }
}

function shown() {
  reported().focus({ preventScroll: true });
  reported().scrollIntoView({ block: "nearest" });
  clearTimeout(asking);
  if (reported().dataset.open) asking = setTimeout(followed, Number(reported().dataset.again) * 1000);
}

async function reports(form) {
  const button = $("button", form);
  button.disabled = true;
  try {
    const answer = await post(form.dataset.reports, Object.fromEntries(new FormData(form)));
    settle(answer);
    if (opened() !== answer.object) return;
    $("#report-place").innerHTML = answer.parts.report;
    tell(answer.said, "done");
    shown();
  } catch (fault) {
    tell(fault.message, "fault");
    button.disabled = false;
  }
}

function followed() {
  const form = reported() && $('[data-reports="reports/follow"]', reported());
  if (form) reports(form);
}

// -------------------------------------------------------------------------------------------------- pictures on demand

function stretch(name) {
  for (const image of $$(".detections img", place)) {
    if (!image.classList.contains("under")) image.src = image.src.replace(/stretch=\w+/, `stretch=${name}`);
  }
  const choice = $(`.stretches input[value="${name}"]`, place);
  if (choice) choice.checked = true;
  history.replaceState(null, "", address({ stretch: name === "asinh" ? "" : name }));
  parts.clear();
  tell(`Stretch: ${name}`);
}

async function explain(button) {
  const target = $(".explained", button.closest(".about"));
  button.disabled = true;
  target.textContent = "Asking the model; this takes a few seconds.";
  try {
    target.innerHTML = await (await asked(button.dataset.why.slice(base.length + 1))).text();
  } catch (fault) {
    target.textContent = fault.message;
  } finally {
    button.disabled = false;
  }
}

function survey(button) {
  const { ra, dec } = button.closest(".survey").dataset;
  const view = $(".view", button.closest(".survey"));
  if (button.dataset.show === "picture") {
    const image = new Image(360, 360);
    image.alt = "The sky about the candidate in Pan-STARRS, one arcminute wide";
    image.onerror = () => (view.textContent = "The picture can not be reached from here.");
    image.referrerPolicy = "no-referrer";
    const wanted = { hips: "CDS/P/PanSTARRS/DR1/color-z-zg-g", ra, dec, fov: 1 / 60, width: 360, height: 360 };
    const values = new URLSearchParams({ ...wanted, projection: "TAN", format: "jpg" });
    image.src = `https://alasky.cds.unistra.fr/hips-image-services/hips2fits?${values}`;
    const cross = document.createElement("span");
    cross.className = "cross";
    view.replaceChildren(image, cross);
  } else {
    const frame = document.createElement("iframe");
    frame.title = "Aladin Lite";
    frame.sandbox = "allow-scripts allow-popups";
    frame.referrerPolicy = "no-referrer";
    frame.src = `${base}/aladin?${new URLSearchParams({ ra, dec })}`;
    view.replaceChildren(frame);
  }
}

function keepAdvance() {
  const box = $("#advance");
  if (!box) return;
  try {
    box.checked = localStorage.getItem("skystamp-advance") !== "no";
    box.onchange = () => localStorage.setItem("skystamp-advance", box.checked ? "yes" : "no");
  } catch {
    box.checked = true; // the browser keeps nothing for pages
  }
}

function ready() {
  keepAdvance();
  for (const image of $$(".stamp img", place)) {
    image.addEventListener("error", () => image.closest(".stamp").classList.add("missing"), { once: true });
    if (image.complete && !image.naturalWidth) image.closest(".stamp").classList.add("missing");
  }
}

// --------------------------------------------------------------------------------------------------- theme, help, list

const THEMES = ["dark", "light", "red"];
function theme(next = false) {
  const root = document.documentElement;
  if (next) {
    root.dataset.theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    try {
      localStorage.setItem("skystamp-theme", root.dataset.theme);
    } catch {
      tell("This browser will not remember the theme.");
    }
  }
  $("#theme-name").textContent = root.dataset.theme;
}

function narrow() {
  const text = $("#search").value.trim().toLowerCase();
  for (const row of $$("#table tbody tr")) row.hidden = !row.dataset.key.toLowerCase().includes(text);
}

const help = $("#help");
const actions = {
  next: () => step(1),
  previous: () => step(-1),
  SN: () => vote("SN"),
  bogus: () => vote("bogus"),
  undo,
  report,
  help: () => (help.open ? help.close() : help.showModal()),
  search: () => $("#search").focus(),
  refresh: () => location.reload(),
  theme: () => theme(true),
  stretch: (n) => $$(".stretches input", place)[n - 1] && stretch($$(".stretches input", place)[n - 1].value),
};
installKeys(actions, () => help.open);

$("#theme").onclick = actions.theme;
$("#show-help").onclick = actions.help;
$("#search").addEventListener("input", narrow);
for (const button of $$("#thumb button")) button.onclick = actions[button.dataset.do];
$("#filters").addEventListener("change", (event) => {
  if (event.target.name === "hours") $$('#filters input[type="date"]').forEach((input) => (input.value = ""));
  if (event.target.type !== "search") $("#filters").requestSubmit();
});
$("#filters").addEventListener("submit", () => {
  for (const input of $$("#filters input")) input.disabled = input.value === "" || (input.name === "p" && !Number(input.value));
});
addEventListener("pageshow", () => $$("#filters input").forEach((input) => (input.disabled = false)));

document.addEventListener("click", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  const row = event.target.closest("#table tbody tr");
  if (row && plain) {
    event.preventDefault();
    choose(row);
  }
  const dot = event.target.closest("#sky circle");
  if (dot) choose(rows().find((one) => one.dataset.key === dot.dataset.key));
  if (event.target.closest("[data-report]") && plain) {
    event.preventDefault();
    report();
  }
  if (event.target.closest("[data-why]")) explain(event.target.closest("[data-why]"));
  if (event.target.closest("[data-show]")) survey(event.target.closest("[data-show]"));
});
document.addEventListener("change", (event) => {
  if (event.target.matches(".stretches input")) stretch(event.target.value);
});
document.addEventListener("submit", (event) => {
  if (event.target.dataset.reports && place.contains(event.target)) {
    event.preventDefault();
    reports(event.target);
  }
  if (event.target.id !== "vote") return;
  event.preventDefault();
  const button = event.submitter;
  if (button?.name === "label") vote(button.value);
  else undo();
});
for (const kind of ["mouseover", "mouseout", "focusin", "focusout"]) {
  const on = kind === "mouseover" || kind === "focusin";
  document.addEventListener(kind, (event) => {
    const found = event.target.closest?.("#table tbody tr, #sky circle");
    if (!found) return;
    const key = found.dataset.key;
    dotOf(key)?.classList.toggle("near", on);
    $$("#table tbody tr").find((row) => row.dataset.key === key)?.classList.toggle("near", on);
  });
}

if (matchMedia("(max-width: 900px)").matches) $("#fold").open = false;
theme();
ready();
document.documentElement.classList.add("scripted"); // from now on it answers to keys
if (matchMedia("(min-width: 901px)").matches && !opened() && !new URL(location.href).searchParams.get("o")) {
  choose(rows()[0], { focus: false });
}
