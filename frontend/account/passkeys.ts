/*
 * Passkeys: a form with `data-passkey` asks the browser for one and sends the answer in its field `credential`.
 * `data-passkey="create"` makes one, `"get"` proves one. The options are in the JSON element that `data-options`
 * names; without it they are fetched from the form's own address, which is how one logs in without a name.
 */

type Json = Record<string, unknown>;

function bytes(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0)).buffer;
}

function text(buffer: ArrayBuffer | null | undefined): string | null {
  if (!buffer) return null;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function described(list: unknown): PublicKeyCredentialDescriptor[] {
  const found = Array.isArray(list) ? (list as Json[]) : [];
  return found.map((item) => ({
    type: "public-key",
    id: bytes(item.id as string),
    ...(item.transports ? { transports: item.transports as AuthenticatorTransport[] } : {}),
  }));
}

async function create(options: Json, passwordless: boolean): Promise<Json> {
  const key = options.publicKey as Json;
  const user = key.user as Json;
  const selection = { ...(key.authenticatorSelection as Json | undefined) } as AuthenticatorSelectionCriteria;
  selection.residentKey = passwordless ? "required" : "discouraged";
  selection.requireResidentKey = passwordless;
  if (passwordless) selection.userVerification = "required";
  const made = (await navigator.credentials.create({
    publicKey: {
      ...key,
      challenge: bytes(key.challenge as string),
      user: { ...user, id: bytes(user.id as string) },
      excludeCredentials: described(key.excludeCredentials),
      authenticatorSelection: selection,
    } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential;
  const answer = made.response as AuthenticatorAttestationResponse;
  return {
    ...common(made),
    response: {
      clientDataJSON: text(answer.clientDataJSON),
      attestationObject: text(answer.attestationObject),
      transports: answer.getTransports?.() ?? [],
    },
  };
}

async function prove(options: Json): Promise<Json> {
  const key = options.publicKey as Json;
  const found = (await navigator.credentials.get({
    publicKey: {
      ...key,
      challenge: bytes(key.challenge as string),
      allowCredentials: described(key.allowCredentials),
    } as unknown as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential;
  const answer = found.response as AuthenticatorAssertionResponse;
  return {
    ...common(found),
    response: {
      clientDataJSON: text(answer.clientDataJSON),
      authenticatorData: text(answer.authenticatorData),
      signature: text(answer.signature),
      userHandle: text(answer.userHandle),
    },
  };
}

function common(credential: PublicKeyCredential): Json {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function optionsOf(form: HTMLFormElement): Promise<Json> {
  const named = form.dataset.options;
  if (named) {
    const all = JSON.parse(document.getElementById(named)?.textContent ?? "{}") as Json;
    return (all.creation_options ?? all.request_options) as Json;
  }
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return ((await answer.json()) as Json).request_options as Json;
}

function words(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") {
    return "The browser gave no passkey: it was cancelled, took too long, or there is none for this site. Try again.";
  }
  if (name === "InvalidStateError") return "This device holds a passkey for your account already.";
  if (name === "SecurityError") return "The browser offers no passkeys at this address. Open the archive by its name.";
  return `It did not work: ${error instanceof Error ? error.message : String(error)}`;
}

function tell(message: string): void {
  const place = document.querySelector<HTMLElement>("[data-passkey-error]");
  const line = place?.querySelector("p");
  if (!place || !line) return;
  line.textContent = message;
  place.hidden = message === "";
}

async function send(form: HTMLFormElement): Promise<void> {
  const options = await optionsOf(form);
  const passwordless = form.querySelector<HTMLInputElement>("input[name=passwordless]")?.checked ?? false;
  const credential = form.dataset.passkey === "create" ? await create(options, passwordless) : await prove(options);
  const field = form.querySelector<HTMLInputElement>("input[name=credential]");
  if (!field) return;
  field.value = JSON.stringify(credential);
  form.submit();
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    tell("");
    if (button) button.disabled = true;
    send(form)
      .catch((error: unknown) => tell(words(error)))
      .finally(() => {
        if (button) button.disabled = false;
      });
  });
}
