// Loaded before the first paint: the theme stands on <html> before anything is drawn.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = key => { try { return localStorage.getItem(key); } catch { return null; } };
  const apply = () => {
    const choice = stored("plinth.theme");
    root.dataset.theme = choice === "light" || choice === "dark" ? choice : system.matches ? "dark" : "light";
    root.dispatchEvent(new CustomEvent("plinth:theme"));
  };
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  window.plinthTheme = {
    get choice() { return stored("plinth.theme") ?? "system"; },
    choose(value) {
      try { value === "system" ? localStorage.removeItem("plinth.theme") : localStorage.setItem("plinth.theme", value); } catch { /* private mode: this page only */ }
      if (value === "system") apply(); else { root.dataset.theme = value; root.dispatchEvent(new CustomEvent("plinth:theme")); }
    },
  };
  apply();
})();
