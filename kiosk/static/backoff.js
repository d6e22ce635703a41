"use strict";
// Waits between attempts: doubling from half a second to a minute, scattered so that a chain's kiosks do not
// come back all at once after an outage.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const LEAST = 500;
  const MOST = 60_000;

  otklik.backoff = (random = Math.random) => {
    let failures = 0;
    return {
      next() {
        const whole = Math.min(MOST, LEAST * 2 ** failures);
        failures = Math.min(failures + 1, 10);
        return Math.max(LEAST, whole * (0.5 + random() / 2));
      },
      reset() {
        failures = 0;
      },
    };
  };
})();
