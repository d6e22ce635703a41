"use strict";
// UUID version 7 (RFC 9562, section 5.7): made on the device, so that a repeated delivery is recognised.
(() => {
  const otklik = (window.otklik = window.otklik || {});

  otklik.uuid7 = (milliseconds = Date.now()) => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    let rest = Math.max(0, Math.floor(milliseconds));
    for (let place = 5; place >= 0; place -= 1) {
      bytes[place] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  };
})();
