"use strict";
(() => {})();
