"use strict";
// The way from the kiosk to the feedback book, open while the book can be reached; and what was written there without a
// network goes out from here.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const TIMEOUT = 5_000;

  async function isThere(address) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT);
    try {
      const answer = await fetch(address, { cache: "no-store", signal: abort.signal });
      return answer.ok && (await answer.text()).includes("data-form=\"book:");
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  otklik.bookDoor = ({ address, free, language, sayClosed }) => {
    const door = document.querySelector("[data-book]");
    const look = () => (door.hidden = navigator.onLine === false);
    door.addEventListener("click", async () => {
      if (!free() || door.disabled) return;
      door.disabled = true;
      const wanted = `${address}&lang=${language()}`;
      if (!(await isThere(wanted))) sayClosed();
      else if (free()) location.replace(wanted); // no step back leads to what is written there
      door.disabled = false;
    });
    for (const type of ["online", "offline"]) window.addEventListener(type, look);
    look();
    if (window.indexedDB) otklik.bookQueue().start().catch(() => {});
  };
})();
