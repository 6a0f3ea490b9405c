// The banner's actions. Blazor retries by itself and sets the banner's classes; data stays on the page, marked as old.
const banner = document.getElementById("components-reconnect-modal");

async function again() {
  try {
    if (await Blazor.reconnect()) return;
    // The server answers but has let go of this circuit: resume what it kept, or begin anew.
    if (await Blazor.resumeCircuit?.()) return;
    location.reload();
  } catch {
    // Still unreachable: the banner stays.
  }
}

async function reloadWhenBack() {
  for (;;) {
    try {
      if ((await fetch("/healthz", { cache: "no-store" })).ok) return location.reload();
    } catch { /* not yet */ }
    await new Promise(done => setTimeout(done, 1500));
  }
}

if (banner) {
  banner.addEventListener("click", event => { if (event.target.closest("[data-reconnect]")) again(); });
  banner.addEventListener("components-reconnect-state-changed", event => {
    const state = event.detail.state;
    document.documentElement.toggleAttribute("data-disconnected", state !== "hide");
    if (state === "rejected" && !document.querySelector("[data-unsaved]")) reloadWhenBack();
    if (state === "failed") document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); }, { once: true });
  });
}
