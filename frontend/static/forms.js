// What a script can add to pages that work without one: whether a URL is available while it is
// typed, a look at the password, a copy of a command, and one submission for a double click.

const PAUSE = 350; // Milliseconds without a key before the server is asked.

// Availability -------------------------------------------------------------------------------

function checkWhileTyping(status) {
  const input = document.getElementById(status.dataset.of);
  const suffix = document.getElementById(`${input.id}-suffix`)?.textContent ?? "";
  let timer;
  let asking;

  const say = (text, kind = "") => {
    status.className = `availability ${kind}`;
    status.textContent = text;
  };

  const ask = async (value) => {
    asking = new AbortController();
    const url = `${status.dataset.check}?${new URLSearchParams({ slug: value })}`;
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(url, { headers, signal: asking.signal });
      if (!answer.ok) return;
      const { slug, available, reason } = await answer.json();
      if (available) say(`${slug}${suffix} is available.`, "good");
      else say(reason ?? "This URL is not available.", "bad");
    } catch {
      // The server checks again when the form is sent.
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    asking?.abort();
    say("");
    const value = input.value.trim();
    if (value) timer = setTimeout(ask, PAUSE, value);
  });
}

// A workspace's name as a slug: "Café Größe & Co" is "cafe-grosse-co".
function slugOf(name) {
  return name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
}

// Proposes a slug until somebody types one.
function proposeSlug(name, slug) {
  let ours = slug.value === "";
  slug.addEventListener("input", (event) => {
    if (event.isTrusted) ours = slug.value === "";
  });
  name.addEventListener("input", () => {
    if (!ours) return;
    slug.value = slugOf(name.value);
    slug.dispatchEvent(new Event("input"));
  });
}

// Passwords and commands ---------------------------------------------------------------------

function button(text, label, className) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = text;
  made.setAttribute("aria-label", label);
  return made;
}

function revealable(input) {
  const reveal = button("Show", "Show the password", "reveal");
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    reveal.textContent = shown ? "Hide" : "Show";
    reveal.setAttribute("aria-label", `${reveal.textContent} the password`);
  };
  reveal.addEventListener("click", () => show(input.type === "password"));
  // Sent as a password, so that no browser keeps it as a text once entered.
  input.form.addEventListener("submit", () => show(false));
  input.after(reveal);
}

function copyable(block) {
  if (!navigator.clipboard) return; // There is none without TLS, but on localhost.
  const copy = button("Copy", "Copy the command", "reveal copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 2000);
  });
  block.after(copy);
}

// Sending ------------------------------------------------------------------------------------

function onceOnly(form) {
  const busy = (is) => {
    form.querySelector("[type=submit]")?.setAttribute("aria-busy", String(is));
  };
  form.addEventListener("submit", (event) => {
    if (form.querySelector("[aria-busy=true]")) event.preventDefault();
    else busy(true);
  });
  addEventListener("pageshow", () => busy(false)); // Back from the next page, it may be sent again.
}

// Back after signing out must not show what was shown before: a page of whoever is signed in is
// asked for again when the browser takes it from its back/forward cache.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("form[action='/sign-out']")) location.reload();
});

document.querySelectorAll("[data-check]").forEach(checkWhileTyping);
document.querySelectorAll("input[type=password]").forEach(revealable);
document.querySelectorAll("[data-copy]").forEach(copyable);
document.querySelectorAll("form[method=post]").forEach(onceOnly);

const [name, slug] = ["tenant_name", "tenant_slug"].map((id) => document.getElementById(id));
if (name && slug) proposeSlug(name, slug);
