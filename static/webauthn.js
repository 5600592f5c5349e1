"use strict";

// The security key's page: asks the server for a challenge, the browser for the answer to it, and sends that
// answer back (WebAuthn level 2, §7). A registration waits for a click; a login starts by itself.

(() => {
  const button = document.getElementById("webauthn-start");
  const status = document.getElementById("webauthn-status");
  const mode = button.dataset.mode;

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  const say = (words, isProblem) => {
    status.textContent = words;
    status.className = isProblem ? "alert" : "note";
  };

  const call = async (step, body) => {
    const own = new URLSearchParams(location.search);
    const query = new URLSearchParams();
    for (const name of ["req", "hmac", "authenticator"]) {
      query.set(name, own.get(name) ?? "");
    }
    const answer = await fetch(`${location.pathname}/${mode}/${step}?${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      redirect: "error",
    });
    const content = await answer.json();
    if (!answer.ok) {
      throw new Error(content.error);
    }
    return content;
  };

  const withBytes = (credentials) => credentials?.map((known) => ({ ...known, id: toBytes(known.id) }));

  const ask = async () => {
    const { publicKey } = await call("begin", {});
    publicKey.challenge = toBytes(publicKey.challenge);
    if (mode === "register") {
      publicKey.user.id = toBytes(publicKey.user.id);
      publicKey.excludeCredentials = withBytes(publicKey.excludeCredentials);
      return navigator.credentials.create({ publicKey });
    }
    publicKey.allowCredentials = withBytes(publicKey.allowCredentials);
    return navigator.credentials.get({ publicKey });
  };

  const encoded = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) {
        response[name] = toText(credential.response[name]);
      }
    }
    if (credential.response.getTransports) {
      response.transports = credential.response.getTransports();
    }
    return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
  };

  const explained = (problem) => {
    switch (problem.name) {
      case "NotAllowedError":
        return "Nothing was confirmed: the request was cancelled or took too long. Try again.";
      case "InvalidStateError":
        return "This security key is registered already. Use another one.";
      case "SecurityError":
        return "Security keys do not work at this address. Tell your administrator.";
      default:
        return "That did not work. Try again, or go back to the application and sign in from there again.";
    }
  };

  const start = async () => {
    button.disabled = true;
    say("Waiting for your security key…", false);
    try {
      const done = await call("finish", encoded(await ask()));
      location.assign(done.redirect);
    } catch (problem) {
      say(explained(problem), true);
      button.disabled = false;
      button.focus();
    }
  };

  button.addEventListener("click", start);
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    say("This browser cannot use security keys. Try another browser.", true);
  } else if (mode === "login") {
    start();
  }
})();
