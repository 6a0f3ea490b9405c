// noVNC on a WebSocket of its own. show(screen, owner) takes the place; connect(screen, path) joins it to a VNC console.
import RFB from "/lib/novnc/rfb.mjs";

const screens = new Map();

// X11 keysyms, and the place of the key on the keyboard (KeyboardEvent.code), by which QEMU goes where it can.
const named = {
  Control: [0xffe3, "ControlLeft"], Alt: [0xffe9, "AltLeft"], Shift: [0xffe1, "ShiftLeft"], Super: [0xffeb, "MetaLeft"], Delete: [0xffff, "Delete"],
  Backspace: [0xff08, "Backspace"], Tab: [0xff09, "Tab"], Escape: [0xff1b, "Escape"], Enter: [0xff0d, "Enter"], Print: [0xff61, "PrintScreen"],
};
for (let n = 1; n <= 12; n++) named["F" + n] = [0xffbd + n, "F" + n];
const key = word => named[word] ?? [word.charCodeAt(0), "Key" + word.toUpperCase()];

// Fast enough for people, slow enough for the buffer of an emulated PS/2 keyboard.
const betweenKeysMs = 15;
const shifted = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;

function press(rfb, words) {
  const keys = words.split(" ").map(key);
  for (const [sym, code] of keys) rfb.sendKey(sym, code, true);
  for (const [sym, code] of keys.reverse()) rfb.sendKey(sym, code, false);
}

async function type(state, text) {
  for (const char of text.replaceAll("\r\n", "\n")) {
    const rfb = state.rfb;
    if (!rfb) return;
    const sym = char === "\n" ? named.Enter[0] : char === "\t" ? named.Tab[0] : char.charCodeAt(0);
    const shift = shifted.test(char);
    if (shift) rfb.sendKey(...named.Shift, true);
    rfb.sendKey(sym, null, true);
    rfb.sendKey(sym, null, false);
    if (shift) rfb.sendKey(...named.Shift, false);
    await new Promise(done => setTimeout(done, betweenKeysMs));
  }
}

export function show(screen, owner) {
  const state = { owner, rfb: null, socket: null, left: new AbortController() };
  screens.set(screen, state);
  const frame = screen.closest(".console");
  const on = (element, name, act) => element?.addEventListener(name, act, { signal: state.left.signal });
  for (const button of frame.querySelectorAll("[data-vnc-keys]")) on(button, "click", () => { if (state.rfb) press(state.rfb, button.dataset.vncKeys); state.rfb?.focus(); });
  const select = frame.querySelector("[data-vnc-select]");
  on(select, "change", () => {
    if (state.rfb && select.value) press(state.rfb, select.value);
    select.value = "";
    state.rfb?.focus();
  });
  on(frame.querySelector("[data-vnc-full]"), "click", async () => {
    await frame.requestFullscreen();
    // Where the browser lets a page have them, Alt+Tab and Escape go to the guest too.
    await navigator.keyboard?.lock?.().catch(() => { /* the browser keeps its keys */ });
    state.rfb?.focus();
  });
  const dialog = document.getElementById("vnc-type");
  const text = document.getElementById("vnc-text"), wrong = dialog?.querySelector("[data-vnc-untypable]");
  on(dialog?.querySelector("[data-vnc-type]"), "click", () => {
    const strange = [...new Set(text.value.replace(/[\x20-\x7e\r\n\t]/g, ""))];
    wrong.textContent = strange.length > 0 ? `Not on a US keyboard: ${strange.slice(0, 8).join(" ")}. Take ${strange.length === 1 ? "it" : "them"} out.` : "";
    if (strange.length > 0) return;
    dialog.hidePopover();
    const typed = text.value;
    text.value = "";
    state.rfb?.focus();
    type(state, typed);
  });
}

export function connect(screen, path) {
  const state = screens.get(screen);
  if (!state) return;
  end(state);
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = state.socket = new WebSocket(url);
  let reason = "";
  // Before noVNC listens: it does not pass the reason on.
  socket.addEventListener("close", event => { reason = event.reason ?? ""; });
  const rfb = state.rfb = new RFB(screen, socket, { shared: true });
  rfb.scaleViewport = true;
  rfb.showDotCursor = true;
  rfb.background = "#101114";
  rfb.addEventListener("connect", () => {
    if (state.rfb !== rfb) return;
    state.owner.invokeMethodAsync("Opened");
    rfb.focus();
  });
  rfb.addEventListener("securityfailure", event => { reason = `The machine's screen refused: ${event.detail.reason ?? "no reason given"}`; });
  rfb.addEventListener("disconnect", () => {
    // A newer connection has taken its place: its end is nobody's news.
    if (state.rfb !== rfb) return;
    state.rfb = null;
    state.owner.invokeMethodAsync("Closed", reason).catch(() => { /* the circuit is gone */ });
  });
}

function end(state) {
  const rfb = state.rfb;
  state.rfb = null;
  rfb?.disconnect();
}

export function remove(screen) {
  const state = screens.get(screen);
  if (!state) return;
  screens.delete(screen);
  state.left.abort();
  end(state);
  if (document.fullscreenElement) document.exitFullscreen();
}
