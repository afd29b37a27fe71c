// What pages do beyond being pages. All of it works without: dialogs are pages, copies are selections, lists reload.
(() => {
  "use strict";
  const say = (text) => {
    const announcer = document.getElementById("announcer");
    announcer.textContent = "";
    requestAnimationFrame(() => (announcer.textContent = text));
  };

  // Moments in the reader's own time zone; the exact one in UTC stays as the title.
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const tellTimes = (where) => {
    for (const time of where.querySelectorAll("time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = local.format(new Date(time.dateTime));
    }
  };

  const copy = async (button) => {
    const parts = button.dataset.copy.split(" ").map((id) => document.getElementById(id));
    const text = parts.map((part) => part.value ?? part.textContent).join("\n");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without TLS there is no clipboard to write to, but a selection can still be copied.
      const area = document.createElement("textarea");
      area.value = text;
      area.setAttribute("readonly", "");
      area.className = "visually-hidden";
      (button.closest("dialog") ?? document.body).append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      button.focus();
      if (!done) {
        parts[0].select?.();
        say("It could not be copied. It is selected: press Ctrl and C.");
        return;
      }
    }
    const label = button.querySelector("[data-copy-text]") ?? button;
    const before = label.textContent;
    label.textContent = "Copied";
    say("Copied");
    setTimeout(() => (label.textContent = before), 2000);
  };

  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target.closest?.("[data-copy]");
    if (button) return void copy(button);
    if (target.matches?.("[data-select]")) return target.select();
    const close = target.closest?.("[data-dialog-close]");
    if (close?.closest("dialog")) {
      event.preventDefault();
      close.closest("dialog").close();
    }
    if (target.matches?.("dialog.dialog")) target.close(); // outside of its box
  });

  // A question that a link asks comes as a dialog.
  document.addEventListener("htmx:after:swap", (event) => {
    tellTimes(document);
    const dialog = document.getElementById("dialog");
    if (event.detail?.ctx?.sourceElement?.hasAttribute("data-dialog") && document.getElementById("confirm")) {
      if (!dialog.open) dialog.showModal();
    }
    if (event.detail?.ctx?.sourceElement?.hasAttribute("data-filter")) {
      const said = document.querySelector("[data-found]");
      if (said) say(said.textContent.trim());
    }
  });
  // A part of a page that cannot be had: the page that says why is shown as a whole.
  document.addEventListener("htmx:response:error", (event) => {
    const { sourceElement, request, response } = event.detail.ctx;
    if (response.status !== 422) location.assign(sourceElement.getAttribute("href") ?? request.action);
  });

  // Sent once is enough: a second click would make a second key.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || event.target.method !== "post" || !button) return;
    setTimeout(() => (button.disabled = true));
    setTimeout(() => (button.disabled = false), 3000);
  });

  document.addEventListener("htmx:error", () => say("The server does not answer. Try again."));

  // Parts that follow what happens: data-live is the address of an event stream of pieces of a page.
  const follow = (element) => {
    const source = new EventSource(element.dataset.live);
    source.addEventListener("message", (event) => {
      element.innerHTML = event.data;
      tellTimes(element);
      htmx.process(element);
    });
    source.addEventListener("end", () => {
      source.close();
      element.removeAttribute("data-live");
      if (element.dataset.liveThen) location.assign(element.dataset.liveThen);
    });
  };

  const begin = () => {
    tellTimes(document);
    for (const element of document.querySelectorAll("[data-live]")) follow(element);
    document.querySelector("[aria-invalid=true]")?.focus();
    document.querySelector("form[data-send-now]")?.submit();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
