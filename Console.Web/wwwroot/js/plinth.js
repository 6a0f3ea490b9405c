// What the browser can do by itself, it does: ages, zones, themes, dialogs, copying. Nothing here asks the server.
import "./times.js";
import "./connection.js";
import { choose } from "./keys.js";
import "./past.js";
import { reload } from "./typed.js";

const root = document.documentElement;

document.addEventListener("click", event => {
  const at = selector => event.target.closest?.(selector);
  let element;
  if ((element = at("[data-open-dialog]"))) document.getElementById(element.dataset.openDialog)?.showModal();
  else if ((element = at("[data-close-dialog]"))) element.closest("dialog")?.close();
  else if (at("[data-reload]")) reload();
  else if (at("[data-zone-toggle]")) choose("zone", root.dataset.zone === "utc" ? "local" : "utc");
  else if ((element = at("[data-copy]"))) copy(element);
  // A click on the backdrop reaches the dialog itself; a link inside leads away: either way it closes.
  const dialog = at("dialog.sheet");
  if (dialog && (event.target === dialog || at("a[href]"))) dialog.close();
  if (at("[popover] a[href]")) at("[popover]").hidePopover();
});

async function copy(button) {
  const text = document.getElementById(button.dataset.copy)?.innerText ?? "";
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = button.dataset.copyText ??= label.textContent;
  try {
    await navigator.clipboard.writeText(text.trimEnd());
    label.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(document.getElementById(button.dataset.copy));
    label.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => { label.textContent = before; }, 2000);
}

document.addEventListener("change", event => {
  if (event.target.matches?.("[data-choice]")) window.plinthDisplay.choose(event.target.name, event.target.value);
});

// Radios show what was chosen whenever their menu opens (they are drawn later than this script runs).
document.addEventListener("toggle", event => {
  if (event.target.id !== "display-menu") return;
  for (const radio of event.target.querySelectorAll("[data-choice]")) radio.checked = radio.value === window.plinthDisplay.chosen(radio.name);
}, true);

// Text that is cut off shows itself whole under the pointer; the server need not send it twice.
document.addEventListener("mouseover", event => {
  const line = event.target.closest?.(".one-line");
  if (line) line.title = line.scrollWidth > line.clientWidth ? line.textContent : "";
});

root.dataset.scripts = "true";

// A server that draws a popover's content only while it is open (@onpopover). Plain pages have no circuit.
window.Blazor?.registerCustomEventType("popover", { browserEventName: "toggle", createEventArgs: event => ({ open: event.newState === "open" }) });

// After a refused form: to the first field that is wrong, where its reason stands.
window.plinthFocusFirstError = () => document.querySelector("[aria-invalid=true]")?.focus();
