// The moment that somebody chose, in the zone they read times in, becomes the URL's ?at=.
const utc = () => document.documentElement.dataset.zone === "utc";

function show(moment) {
  const url = new URL(location.href);
  url.searchParams.set("at", moment.toISOString());
  for (const name of ["selected", "tab"]) url.searchParams.delete(name);
  document.getElementById("past-menu")?.hidePopover();
  Blazor.navigateTo(url.pathname + url.search);
}

document.addEventListener("submit", event => {
  if (!event.target.matches?.("[data-past]")) return;
  event.preventDefault();
  const text = event.target.querySelector("input").value;
  if (text) show(new Date(utc() ? text + "Z" : text));
}, true);

document.addEventListener("click", event => {
  const ago = event.target.closest?.("[data-past-ago]");
  if (ago) show(new Date(Date.now() - ago.dataset.pastAgo * 1000));
});

// The field begins at the moment shown, or now.
document.addEventListener("toggle", event => {
  if (event.target.id !== "past-menu" || event.newState !== "open") return;
  const at = Date.parse(new URL(location.href).searchParams.get("at") ?? "") || Date.now();
  const shift = utc() ? 0 : new Date(at).getTimezoneOffset() * 60000;
  document.getElementById("past-at").value = new Date(at - shift).toISOString().slice(0, 19);
}, true);
