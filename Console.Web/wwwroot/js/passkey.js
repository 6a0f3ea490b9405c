// Passkeys: the browser makes and uses them, the console asks and checks. Nothing here is secret.
(() => {
  const send = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
    const data = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(data?.detail ?? `The console answered ${answer.status}.`);
    return data;
  };
  const able = () => {
    if (!window.isSecureContext) throw new Error("Browsers use passkeys over https only, or on the console's own machine by the name localhost.");
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON || !PublicKeyCredential.prototype.toJSON) throw new Error("This browser is too old for passkeys.");
  };
  // What browsers say when nobody touched the key in time, or turned it away, is written for developers.
  const plain = error => error?.name === "NotAllowedError" ? "No passkey was given." : error?.name === "InvalidStateError" ? "This device has a passkey for this console already." : error.message;

  async function signIn(returnUrl) {
    able();
    const { options, state } = await send("/sign-in/passkey/question");
    const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    await send("/sign-in/passkey", { state, credential: credential.toJSON() });
    location.assign(returnUrl || "/");
  }

  /** Adds one to the account of whoever is signed in; gives null, or the sentence that says why not. */
  window.plinthAddPasskey = async name => {
    try {
      able();
      const { options, state } = await send("/api/v1/me/passkeys/question");
      const credential = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
      await send("/api/v1/me/passkeys", { name, state, credential: credential.toJSON() });
      return null;
    } catch (error) {
      return plain(error);
    }
  };

  document.addEventListener("click", async event => {
    const button = event.target.closest?.("[data-passkey-sign-in]");
    if (!button) return;
    const answer = document.getElementById("passkey-answer");
    button.disabled = true;
    try {
      await signIn(button.dataset.return);
    } catch (error) {
      answer.textContent = plain(error);
      answer.classList.add("refused");
    } finally {
      button.disabled = false;
    }
  });
})();
