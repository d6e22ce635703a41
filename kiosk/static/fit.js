"use strict";
// Words as large as they fit: a long question, long answers or a small screen make them smaller until nothing spills.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const STEP = 0.08;
  const LEAST = 0.44;
  const PARTS = ".screen, h1, .smiley, .smiley-label, .choice, .choices, .scale, .steps button, .written";

  const spills = ({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
    scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1;

  otklik.fit = (main) => {
    const known = new Map();

    function measure() {
      delete main.dataset.tight;
      const parts = Array.from(main.querySelectorAll(PARTS));
      for (let size = 1; size > LEAST; size -= STEP) {
        main.style.setProperty("--fit", String(size));
        if (!parts.some(spills)) return size;
      }
      return LEAST;
    }

    // `name` says what is shown; a size found once for it and this screen is used again.
    return (name) => {
      const key = [name, main.clientWidth, main.clientHeight].join(" ");
      const size = known.get(key) || measure();
      known.set(key, size);
      main.style.setProperty("--fit", String(size));
      // Smaller than this nobody reads: then words break and lists scroll.
      main.toggleAttribute("data-tight", size === LEAST);
    };
  };
})();
