// What was typed and not sent outlives the console that the page came from: kept in this tab when the page goes over to the next console,
// put back field by field where it differs. A form that a button opens names it (data-opened-by).
const root = document.documentElement;
const storedAs = "plinth.typed", keptForMs = 60 * 60 * 1000, patienceMs = 10000;
const here = () => location.pathname + location.search;
const valueOf = field => field.type === "checkbox" || field.type === "radio" ? field.checked : field.value;

let typed = new Map(), typedOn = here();

for (const name of ["input", "change"]) document.addEventListener(name, event => {
  const field = event.target;
  if (!field.id || !field.form || field.type === "password") return;
  if (typedOn !== here()) [typed, typedOn] = [new Map(), here()];
  // Last touched, last put back: a field may depend on one before it.
  typed.delete(field.id);
  typed.set(field.id, { value: valueOf(field), opener: field.form.dataset.openedBy });
}, true);

// A form that was sent, closed or emptied since does not hold it any more.
export function remember() {
  const fields = typedOn !== here() ? [] : [...typed].filter(([id, { value }]) => {
    const field = document.getElementById(id);
    return field && valueOf(field) === value;
  });
  try {
    if (fields.length > 0) sessionStorage.setItem(storedAs, JSON.stringify({ page: typedOn, at: Date.now(), fields }));
  } catch { /* no room, or not allowed: it is lost as without this */ }
}

export function reload() {
  remember();
  location.reload();
}

function taken() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storedAs));
    if (!kept || kept.page !== here()) return [];
    sessionStorage.removeItem(storedAs);
    return Date.now() - kept.at < keptForMs ? kept.fields : [];
  } catch {
    return [];
  }
}

async function usable(id, opener) {
  let opened = false;
  for (const until = Date.now() + patienceMs; Date.now() < until; await new Promise(requestAnimationFrame)) {
    const field = document.getElementById(id);
    if (field && !field.disabled) return field;
    const button = !field && !opened && opener ? document.getElementById(opener) : null;
    if (button && !button.disabled) { opened = true; button.click(); }
  }
}

async function putBack() {
  for (const [id, { value, opener }] of taken()) {
    const field = await usable(id, opener);
    if (!field || valueOf(field) === value) continue;
    if (typeof value === "boolean") field.checked = value; else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

new MutationObserver(() => { if (root.dataset.ready === "true") putBack(); }).observe(root, { attributeFilter: ["data-ready"] });
if (root.dataset.ready === "true") putBack();
