// Before anything is painted: the theme that was chosen here, or else the one of the system.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => document.cookie.match(/(?:^|; )provisor_theme=(light|dark)/)?.[1];
  const apply = () => root.setAttribute("data-bs-theme", chosen() ?? (dark.matches ? "dark" : "light"));
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `provisor_theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    apply();
  });
})();
