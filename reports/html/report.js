// The page is complete without this script. It adds what a click can do: show
// only some scenarios, copy a fix, unfold what a link leads to.
(function () {
  "use strict";
  var doc = document;
  var all = function (q, el) { return Array.prototype.slice.call((el || doc).querySelectorAll(q)); };

  function button(text, act) {
    var b = doc.createElement("button");
    b.type = "button";
    b.textContent = text;
    b.addEventListener("click", function () { act(b); });
    return b;
  }

  // Show only scenarios with one verdict.
  var scenarios = all("details.scenario");
  var kinds = ["fail", "flaky", "inconclusive", "pass", "not_applicable"].filter(function (k) {
    return scenarios.some(function (s) { return s.dataset.verdict === k; });
  });
  if (scenarios.length > 1) {
    var bar = doc.createElement("div");
    bar.className = "tools";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Show scenarios");
    var pick = function (kind) {
      return function (pressed) {
        all("button[data-pick]", bar).forEach(function (b) { b.setAttribute("aria-pressed", String(b === pressed)); });
        all("[data-verdict]").forEach(function (el) {
          el.classList.toggle("hidden", kind !== "" && el.dataset.verdict !== kind);
        });
      };
    };
    [""].concat(kinds.length > 1 ? kinds : []).forEach(function (k) {
      var n = scenarios.filter(function (s) { return k === "" || s.dataset.verdict === k; }).length;
      var b = button((k || "all").replace("_", " ") + " " + n, pick(k));
      b.dataset.pick = k;
      b.setAttribute("aria-pressed", String(k === ""));
      bar.appendChild(b);
    });
    bar.appendChild(button("unfold all", function () { scenarios.forEach(function (s) { s.open = true; }); }));
    bar.appendChild(button("fold all", function () { scenarios.forEach(function (s) { s.open = false; }); }));
    scenarios[0].parentNode.insertBefore(bar, scenarios[0]);
  }

  // Copy fixes and command lines.
  all("pre.copy").forEach(function (pre) {
    var code = pre.querySelector("code");
    pre.appendChild(button("copy", function (b) {
      var said = function (text) {
        b.textContent = text;
        setTimeout(function () { b.textContent = "copy"; }, 1500);
      };
      var select = function () {
        var r = doc.createRange();
        r.selectNodeContents(code);
        var s = getSelection();
        s.removeAllRanges();
        s.addRange(r);
        said("selected");
      };
      if (!navigator.clipboard) { select(); return; }
      navigator.clipboard.writeText(code.textContent).then(function () { said("copied"); }, select);
    }));
    pre.lastChild.className = "copybtn";
  });

  // Lanes that are wider than their window begin where the fault does, and keep
  // the names of their groups in sight.
  all(".lanebox").forEach(function (box) {
    var svg = box.querySelector(".lanes:not(.axis)");
    var fault = svg && svg.querySelector("rect.active, rect.armed");
    if (!svg) { return; }
    var begin = function () {
      if (!fault || box.scrollWidth <= box.clientWidth) { return; }
      box.scrollLeft += fault.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 3;
    };
    box.addEventListener("scroll", function () {
      var scale = 1000 / svg.getBoundingClientRect().width;
      all(".gl", svg).forEach(function (name) { name.setAttribute("x", 2 + Math.round(box.scrollLeft * scale)); });
    });
    var folded = box.closest("details.scenario");
    if (folded) { folded.addEventListener("toggle", begin); }
    begin();
  });

  // Unfold what a link leads to.
  function reveal() {
    var el = location.hash && doc.getElementById(location.hash.slice(1));
    if (!el) { return; }
    for (var p = el; p; p = p.parentElement) {
      if (p.tagName === "DETAILS") { p.open = true; }
      p.classList.remove("hidden");
    }
    el.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", reveal);
  reveal();
})();
