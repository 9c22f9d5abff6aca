// The sub-tab Results: a press on a small image chooses its step, the chosen one is marked in the strip and in the curve,
// and a file that was made for a download is downloaded. Without this file, slider and list choose, and links download.
(function () {
    "use strict";

    const FIELD = "ti_results_pick";
    let marked = ""; // what the strip shows as chosen

    function chosen() {
        return window.tiSaving.find("#ti_results_preview [data-chosen]");
    }

    function strip() {
        return window.tiSaving.find("#ti_results_strip .ti-steps");
    }

    function pick(link) {
        // With the time, since the same text in the field would not trigger an event.
        window.tiSaving.write(FIELD, `${link.dataset.pick} ${Date.now()}`);
        mark(link.dataset.pick);
    }

    // Mark the chosen image, and its step in the other rows.
    function mark(image) {
        const row = strip();
        if (!row) {
            return;
        }
        row.querySelectorAll("a[data-pick]").forEach(function (link) {
            const now = link.dataset.pick === image;
            link.classList.toggle("ti-same-step", link.dataset.pick.split(" ")[0] === image.split(" ")[0]);
            if (now) {
                link.setAttribute("aria-current", "true");
            } else {
                link.removeAttribute("aria-current");
            }
            if (now && marked !== image) {
                const cell = link.getBoundingClientRect();
                const frame = row.getBoundingClientRect();
                row.scrollLeft += Math.min(0, cell.left - frame.left - 8) + Math.max(0, cell.right - frame.right + 8);
            }
        });
        marked = image;
    }

    function changed() {
        const now = chosen();
        if (now) {
            const row = strip();
            if (now.dataset.image && (now.dataset.image !== marked || (row && !row.querySelector("[aria-current]")))) {
                marked = "";
                mark(now.dataset.image);
            }
            window.tiSaving.findAll("#ti_results_preview a[data-pick]").forEach(function (link) {
                link.classList.toggle("ti-same-image", link.dataset.pick === now.dataset.image);
            });
            const plot = window.tiSaving.find("#ti_results_curve .ti-plot");
            if (plot && plot.dataset.chosen !== now.dataset.chosen) {
                window.tiChart.choose(plot, now.dataset.chosen);
            }
        }
        window.tiSaving.findAll("#ti_download a[data-download=yes]").forEach(function (link) {
            link.dataset.download = "done";
            link.click();
        });
    }

    // The first press on an image of the strip chooses it, the next one opens it large.
    function pressed(event) {
        const link = event.target.closest && event.target.closest("#ti_results_strip a[data-pick]");
        const other = event.ctrlKey || event.metaKey || event.shiftKey;
        if (link && !other && !link.hasAttribute("aria-current")) {
            event.preventDefault();
            pick(link);
        }
    }

    // What was opened large last is chosen.
    function viewed(event) {
        const link = event.target;
        if (link.matches("#ti_results_strip a[data-pick]") && !link.hasAttribute("aria-current")) {
            pick(link);
        }
    }

    document.addEventListener("click", pressed, true);
    document.addEventListener("ti-viewed", viewed);
    document.addEventListener("ti-changed", changed);
})();
