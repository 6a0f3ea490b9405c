// Loaded before the first paint: what was chosen stands on <html> before anything is drawn. The server writes the choices of
// whoever is signed in (data-my-*); pages of strangers fall back on what this browser saw last.
(() => {
  const root = document.documentElement;
  const choices = ["theme", "contrast", "density", "zone", "keys"];
  const dark = matchMedia("(prefers-color-scheme: dark)"), contrast = matchMedia("(prefers-contrast: more)");
  const storedAs = name => `plinth.${name}`;
  const remember = (name, value) => { try { localStorage.setItem(storedAs(name), value); } catch { /* private mode: this page only */ } };
  const remembered = name => { try { return localStorage.getItem(storedAs(name)); } catch { return null; } };
  const chosen = {};
  for (const name of choices) {
    const mine = root.getAttribute(`data-my-${name}`);
    if (mine) remember(name, mine);
    chosen[name] = mine ?? remembered(name);
  }

  function apply() {
    root.dataset.theme = chosen.theme === "light" || chosen.theme === "dark" ? chosen.theme : dark.matches ? "dark" : "light";
    root.dataset.contrast = chosen.contrast === "high" || contrast.matches ? "high" : "usual";
    root.dataset.density = chosen.density ?? "comfortable";
    root.dataset.zone = chosen.zone ?? "local";
    root.dataset.keys = chosen.keys ?? "on";
    root.dispatchEvent(new CustomEvent("plinth:theme"));
  }

  dark.addEventListener("change", apply);
  contrast.addEventListener("change", apply);
  addEventListener("storage", event => {
    const name = choices.find(n => storedAs(n) === event.key);
    if (name) { chosen[name] = event.newValue; apply(); }
  });
  window.plinthDisplay = {
    chosen: name => chosen[name] ?? { theme: "system", contrast: "system", density: "comfortable", zone: "local", keys: "on" }[name],
    choose(name, value) { chosen[name] = value; remember(name, value); apply(); },
  };
  apply();
})();
