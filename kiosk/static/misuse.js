"use strict";
// Bursts and held presses, told where they happen. Such an answer is kept and sent like any other, with a flag; what
// becomes of it the server decides. One press makes one answer, however long it lasts.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const SHORT = 10_000;
  const LONG = 60_000;
  const MOST_IN_SHORT = 5;
  const SAME_IN_LONG = 10;
  const HELD = 3_000;
  // A click belongs to the press that ended this long ago.
  const CLICK = 500;
  // Keyboards that do not name their repeats: nobody presses a key again so soon without letting it go.
  const REPEAT = 200;

  // `tellHeld` is called when the press that began the present item is found to be a held one.
  otklik.misuse = (tellHeld) => {
    const down = new Map(); // key: when it was last heard of
    let taps = [];
    let press = { since: Infinity, ended: -Infinity, began: false };

    const begin = (since) => (press = { since, ended: null, began: false });
    const end = () => (press.ended = performance.now());
    const duration = (now) => (press.ended === null ? now : press.ended) - press.since;
    const held = (now) => (press.ended === null || now - press.ended < CLICK) && duration(now) > HELD;

    // Whether a key is only still held. Where its beginning was not seen, its repeat counts as one held press.
    function repeats({ key, repeat }) {
      const now = performance.now();
      const known = down.has(key);
      const again = known && (repeat || now - down.get(key) < REPEAT);
      down.set(key, now);
      if (!again) begin(repeat ? -Infinity : now);
      else if (press.began && held(now)) {
        press.began = false;
        tellHeld();
      }
      return again;
    }

    function release({ key }) {
      down.delete(key);
      end();
    }

    function burst(value, now) {
      taps = [...taps.filter(({ at }) => now - at < LONG), { at: now, value }];
      const late = taps.filter(({ at }) => now - at < SHORT).length;
      return late > MOST_IN_SHORT || taps.filter((tap) => tap.value === value).length >= SAME_IN_LONG;
    }

    // The flags of the item that an answer begins.
    function flags(value) {
      const now = performance.now();
      const found = burst(value, now) ? ["burst"] : [];
      if (held(now)) found.push("held");
      else press.began = press.ended === null;
      return found;
    }

    document.addEventListener("pointerdown", () => begin(performance.now()), true);
    for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, end, true);
    document.addEventListener("keyup", release, true);
    window.addEventListener("blur", () => down.clear());
    return { repeats, flags };
  };
})();
