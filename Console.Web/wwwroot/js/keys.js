// The palette's marked line, and keys: which there are stands in the sheet of keys (#keys-sheet) alone.
const byId = id => document.getElementById(id);
const typing = target => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], .xterm, canvas");
// A second key that comes later than this is a first one.
const patience = 1200;
let before = "", since = 0;

/** Presses the radio of a choice, so that browser and server both take it over. */
export function choose(name, value) {
  const radios = [...document.querySelectorAll(`#display-menu input[name="${name}"]`)];
  for (const radio of radios) radio.checked = radio.value === window.plinthDisplay.chosen(name);
  radios.find(radio => radio.value === value)?.click();
}

/** What a command has the browser do. */
export function run(text) {
  const [verb, ...words] = text.split(" ");
  if (verb === "open") byId(words[0])?.showPopover?.();
  else if (verb === "choose") choose(words[0], words[1]);
  else if (verb === "search") { const field = document.querySelector("main input[type=search]"); field?.focus(); field?.select(); }
  else if (verb === "row") toRow(words[0] === "next" ? 1 : -1);
  else if (verb === "mark") document.activeElement?.closest("tr.row")?.querySelector("input[type=checkbox]")?.click();
}

function toRow(step) {
  const rows = [...document.querySelectorAll("main tr.row a.primary")];
  const now = rows.indexOf(document.activeElement?.closest("tr.row")?.querySelector("a.primary"));
  const next = rows[now < 0 ? (step > 0 ? 0 : rows.length - 1) : now + step];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
}

function pressed(key) {
  const find = keys => [...document.querySelectorAll("#keys-sheet [data-keys]")].find(e => e.dataset.keys === keys);
  const pair = performance.now() - since < patience ? find(`${before} ${key}`) : undefined;
  const command = pair ?? find(key);
  [before, since] = command ? ["", 0] : [key, performance.now()];
  if (!command) return false;
  if (command.dataset.browser) run(command.dataset.browser);
  else Blazor.navigateTo(command.dataset.href);
  return true;
}

document.addEventListener("keydown", event => {
  const palette = byId("palette");
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && palette) {
    event.preventDefault();
    palette.togglePopover();
  } else if (event.target.id === "palette-input") inPalette(event);
  else if (!event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target) && !document.querySelector("dialog[open], .mud-dialog")
      && document.documentElement.dataset.keys !== "off" && pressed(event.key)) event.preventDefault();
});

// ── The palette ──────────────────────────────────────────────────────────
const options = () => [...document.querySelectorAll("#palette [role=option]")];
let marked = 0;

function mark(index) {
  const all = options();
  marked = Math.max(0, Math.min(index, all.length - 1));
  all.forEach((option, i) => option.setAttribute("aria-selected", i === marked ? "true" : "false"));
  const input = byId("palette-input");
  if (all[marked]) input.setAttribute("aria-activedescendant", all[marked].id); else input?.removeAttribute("aria-activedescendant");
  all[marked]?.scrollIntoView({ block: "nearest" });
}

function inPalette(event) {
  const all = options();
  if (event.key === "ArrowDown") mark(marked + 1 < all.length ? marked + 1 : 0);
  else if (event.key === "ArrowUp") mark(marked > 0 ? marked - 1 : all.length - 1);
  else if (event.key === "Enter" && all[marked]) {
    if (event.ctrlKey && all[marked].dataset.href) { open(all[marked].dataset.href, "_blank", "noopener"); byId("palette").hidePopover(); }
    else all[marked].click();
  } else return;
  event.preventDefault();
}

document.addEventListener("click", event => {
  const option = event.target.closest?.("#palette [role=option]");
  if (!option || option.getAttribute("aria-disabled")) return;
  byId("palette").hidePopover();
  if (option.dataset.browser) run(option.dataset.browser);
});

document.addEventListener("input", event => { if (event.target.id === "palette-input") marked = 0; });
document.addEventListener("beforetoggle", event => {
  if (event.target.id !== "palette" || event.newState !== "closed") return;
  const input = byId("palette-input");
  if (!input.value) return;
  input.value = "";
  input.dispatchEvent(new Event("input", { bubbles: true }));
}, true);
document.addEventListener("toggle", event => { if (event.target.id === "palette") marked = 0; }, true);

// The list is drawn by the server; the mark stays on its line.
new MutationObserver(changes => {
  if (changes.some(c => c.target.closest?.("#palette") && c.target.id !== "palette-input" && c.type === "childList")) mark(marked);
}).observe(document.body, { subtree: true, childList: true });
