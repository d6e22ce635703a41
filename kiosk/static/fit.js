"use strict";
// Words as large as they fit: a long question, long answers or a small screen make them smaller until nothing spills.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const STEP = 0.08;
  const LEAST = 0.44;
  // A question takes at most this part of the screen, for the answers are what is touched.
  const ASK = 0.34;
  const ANSWERS = ".smiley, .smiley-label, .choice, .choice > span, .choices, .scale, .steps button, .written";

  const spills = ({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
    scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1;

  otklik.fit = (main) => {
    const known = new Map();

    // Returns the largest size from `most` down at which `fits` holds, or the least of all.
    function shrink(name, most, fits) {
      for (let size = most; size > LEAST; size -= STEP) {
        main.style.setProperty(name, String(size));
        if (fits()) return size;
      }
      main.style.setProperty(name, String(LEAST));
      return LEAST;
    }

    function measure() {
      const [screen] = main.children;
      const ask = main.querySelector("h1");
      const answers = Array.from(main.querySelectorAll(ANSWERS));
      const fit = () => !spills(screen) && !answers.some(spills);
      delete main.dataset.tight;
      main.style.setProperty("--fit", "1");
      const most = main.clientHeight * (answers.length ? ASK : 1);
      const question = shrink("--fit-ask", 1, () => !spills(ask) && ask.offsetHeight <= most);
      const rest = shrink("--fit", 1, fit);
      return fit() ? [question, rest, false] : [shrink("--fit-ask", question, fit), rest, !fit()];
    }

    // `name` says what is shown; a size found once for it and this screen is used again.
    return (name) => {
      const key = [name, main.clientWidth, main.clientHeight].join(" ");
      if (!known.has(key)) known.set(key, measure());
      const [question, rest, tight] = known.get(key);
      main.style.setProperty("--fit-ask", String(question));
      main.style.setProperty("--fit", String(rest));
      // Smaller than this nobody reads: then words break and lists scroll.
      main.toggleAttribute("data-tight", tight);
    };
  };
})();
