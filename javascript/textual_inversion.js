// Comfort only: presses the tab's own Refresh button while a training runs and the tab can be seen, opens the txt2img
// tab after "Send to txt2img", and lets the keyboard unfold. Without this file everything works by hand.
(function () {
    "use strict";

    const OTHERWISE = 15000; // milliseconds
    // What a page looks at again and again: the button that asks, and what says how soon.
    const WATCHED = {"#ti_refresh": "#ti_status .ti-status", "#ti_work_refresh": "#ti_work .ti-work"};
    const asked = {};

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function refresh() {
        Object.keys(WATCHED).forEach(function (name) {
            const button = root().querySelector(name);
            if (!button || document.hidden || button.offsetParent === null) {
                return;
            }
            const status = root().querySelector(WATCHED[name]);
            const active = status && status.dataset.active === "yes";
            if (Date.now() - (asked[name] || 0) >= (active ? 1000 * status.dataset.seconds : OTHERWISE)) {
                asked[name] = Date.now();
                button.click();
            }
        });
    }

    function follow(event) {
        const target = event.target;
        const sent = target && target.closest && target.closest("#ti_send_txt2img");
        if (sent && typeof window.switch_to_txt2img === "function") {
            window.setTimeout(window.switch_to_txt2img, 700);
        }
    }

    // Gradio 3 folds with plain boxes, which the keyboard does not reach.
    function reachable() {
        root().querySelectorAll("#ti_tabs div.label-wrap:not([tabindex])").forEach(function (title) {
            title.tabIndex = 0;
            title.setAttribute("role", "button");
        });
    }

    function press(event) {
        const title = event.target;
        if ((event.key === "Enter" || event.key === " ") && title.matches && title.matches("#ti_tabs div.label-wrap")) {
            event.preventDefault();
            title.click();
        }
    }

    window.setInterval(refresh, 500);
    window.setInterval(reachable, 2000);
    document.addEventListener("keydown", press, true);
    document.addEventListener("click", follow, true);
})();
