// The receipt of an entry: forgets the draft, and copies the link.
import { home, leaveSoon } from "./book_kiosk.js";
import "./paper.js";

const button = document.querySelector("[data-copy]");
const said = document.querySelector("[data-copied]");

async function copy() {
  try {
    await navigator.clipboard.writeText(document.querySelector("[data-link]").href);
    said.textContent = said.dataset.done;
  } catch {
    said.textContent = said.dataset.failed;
  }
}

if (button && navigator.clipboard && !home) {
  button.hidden = false;
  button.addEventListener("click", copy);
}
if (home) leaveSoon();
