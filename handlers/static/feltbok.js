// What a page can do beyond what it does without a script. Each part begins with the attribute that asks for it, and a
// page without that attribute is left alone.
"use strict";

// data-copy="ID": a button that copies the text of another element. It is hidden where nothing can be copied.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = button.dataset.copied;
  });
}

// data-closes="SECONDS": a part that was opened for so long. The browser then leaves the page by itself, and what somebody
// is typing would go with it. So once anything is typed the page stays, and the opened part alone goes.
for (const opened of document.querySelectorAll("[data-closes]")) {
  const end = Date.now() + opened.dataset.closes * 1000;
  document.addEventListener("input", () => {
    window.stop(); // also what the Refresh header has planned
    setTimeout(() => opened.remove(), end - Date.now());
  }, { once: true });
}
