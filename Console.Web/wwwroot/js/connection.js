import { remember, reload } from "./typed.js";

// The banner's actions. Blazor retries by itself and sets the banner's classes; data stays on the page, marked as old.
const banner = document.getElementById("components-reconnect-modal");

async function again() {
  try {
    if (await Blazor.reconnect()) return;
    // The server answers but has let go of this circuit: resume what it kept, or begin anew.
    if (await Blazor.resumeCircuit?.()) return;
    reload();
  } catch {
    // Still unreachable: the banner stays.
  }
}

async function reloadWhenBack() {
  for (;;) {
    try {
      if ((await fetch("/healthz", { cache: "no-store" })).ok) return reload();
    } catch { /* not yet */ }
    await new Promise(done => setTimeout(done, 1500));
  }
}

// Asked by a console that stops: it hands what it keeps of this page to the browser, and the one that comes after takes it back.
window.plinthPause = instance => { setTimeout(() => pause(instance)); };

async function pause(instance) {
  remember();
  if (!await Blazor.pauseCircuit()) return;
  const root = document.documentElement;
  root.removeAttribute("data-ready");
  for (;;) {
    await new Promise(done => setTimeout(done, 500));
    try {
      const answer = await fetch("/healthz", { cache: "no-store" });
      if (!answer.ok || (await answer.json()).instance === instance) continue;
      if (!await Blazor.resumeCircuit()) return reload();
      // A page can look alive and be dead: one that goes on marks itself as ready.
      setTimeout(() => { if (!root.hasAttribute("data-ready")) reload(); }, 30000);
      return;
    } catch { /* not yet */ }
  }
}

if (banner) {
  banner.addEventListener("click", event => { if (event.target.closest("[data-reconnect]")) again(); });
  banner.addEventListener("components-reconnect-state-changed", event => {
    const state = event.detail.state;
    document.documentElement.toggleAttribute("data-disconnected", state !== "hide");
    if (state === "rejected") reloadWhenBack();
    if (state === "failed") document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); }, { once: true });
  });
}
