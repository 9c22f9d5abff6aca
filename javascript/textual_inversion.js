// Comfort only: presses the tab's own Refresh button while a training runs and the tab can be seen, opens the txt2img
// tab after "Send to txt2img", lets the keyboard unfold, and has lists take what was typed. Without this file everything
// works by hand.
(function () {
    "use strict";

    const IDLE_SECONDS = 15;
    // The buttons that ask the server for the state of its work, and the elements that say how soon to ask again.
    const STATUS_OF = {"#ti_refresh": "#ti_status .ti-status", "#ti_work_refresh": "#ti_work .ti-work"};
    const clicked_at = {};
    let timer = 0;

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function visible(element) {
        return element !== null && !document.hidden && element.offsetParent !== null;
    }

    // Milliseconds until a button is to be pressed, or Infinity where nobody can see its result.
    function due_in(name) {
        if (!visible(root().querySelector(name))) {
            return Infinity;
        }
        const status = root().querySelector(STATUS_OF[name]);
        const active = status && status.dataset.active === "yes";
        const seconds = active ? Number(status.dataset.seconds) : IDLE_SECONDS;
        return (clicked_at[name] || 0) + 1000 * seconds - Date.now();
    }

    // Press what is due, and come back when the next one is. Nothing runs while the tab is not in sight.
    function refresh() {
        const names = Object.keys(STATUS_OF);
        names.filter((name) => due_in(name) <= 0).forEach(function (name) {
            clicked_at[name] = Date.now();
            root().querySelector(name).click();
        });
        const next = Math.min(...names.map(due_in));
        window.clearTimeout(timer);
        if (Number.isFinite(next)) {
            timer = window.setTimeout(refresh, next);
        }
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
        root().querySelectorAll("#ti_tabs .ti-refresh:not([title])").forEach(function (button) {
            button.title = "List again";
            button.setAttribute("aria-label", "List again");
        });
    }

    // Gradio 3 takes the first entry that begins like what was typed when Enter is pressed in a list. Here what was
    // typed counts, unless an entry was chosen with the arrows.
    let chosen_by_arrows = false;

    function take_typed(event) {
        const field = event.target;
        if (!field.closest || !field.closest("#ti_tabs .wrap-inner")) {
            return;
        }
        if (event.key === "Enter" && !chosen_by_arrows) {
            event.stopPropagation();
            event.preventDefault();
            field.blur();
        }
        chosen_by_arrows = event.key === "ArrowDown" || event.key === "ArrowUp";
    }

    function press(event) {
        const title = event.target;
        if ((event.key === "Enter" || event.key === " ") && title.matches && title.matches("#ti_tabs div.label-wrap")) {
            event.preventDefault();
            title.click();
        }
    }

    document.addEventListener("ti-changed", function () {
        refresh();
        reachable();
    });
    document.addEventListener("visibilitychange", refresh);
    document.addEventListener("keydown", press, true);
    document.addEventListener("keydown", take_typed, true);
    document.addEventListener("click", follow, true);
    // Another tab of the WebUI or of ours may have come into sight.
    document.addEventListener("click", () => window.setTimeout(refresh, 0));
})();
