// Comfort only: presses the Refresh buttons while background tasks are active and the tab can be seen, opens the txt2img
// tab after "Send to txt2img" or "Use in txt2img", opens accordions by keyboard, and keeps what was typed in lists. Without this file
// everything works by hand.
(function () {
    "use strict";

    // What another page has started is noticed after this time, or at once when this page gets the focus.
    const IDLE_SECONDS = 180;
    const UNSEEN_SECONDS = 15; // while the end of a task would be notified
    const BUSY_SECONDS = 2;
    // Messages that something was refused because a task is in progress; the button has those of ended tasks removed.
    const BUSY_NOTICES = "#ti_tabs .ti-notice[data-task]";
    const BUSY_REFRESH = "ti_busy_refresh";
    // The strip above the sub-tabs. What this page starts is active in one of its statuses first.
    const STRIP = "#ti_tabs .ti-activity-state";
    const STRIP_REFRESH = "ti_activity_refresh";
    const clicked_at = {};
    let timer = 0;

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function visible(element) {
        return element !== null && !document.hidden && element.offsetParent !== null;
    }

    // The visible buttons that request the status of tasks, and the seconds between two presses of each.
    function intervals() {
        const found = {};
        root().querySelectorAll("#ti_tabs [data-refresh]").forEach(function (status) {
            const name = status.dataset.refresh;
            const button = root().querySelector("#" + name);
            // A button that nobody sees counts where its status is seen.
            if (button && visible(button.classList.contains("ti-hidden") ? status : button)) {
                found[name] = status.dataset.active === "yes" ? Number(status.dataset.seconds) : IDLE_SECONDS;
            }
        });
        if (Array.from(root().querySelectorAll(BUSY_NOTICES)).some(visible)) {
            found[BUSY_REFRESH] = BUSY_SECONDS;
        }
        const seconds = strip_seconds(found);
        if (seconds) {
            found[STRIP_REFRESH] = seconds;
        }
        return found;
    }

    // Seconds between two refreshes of the strip; 0 while nothing is active. While the tab cannot be seen, the strip is
    // refreshed only where the end of a task would be notified.
    function strip_seconds(found) {
        const strip = root().querySelector(STRIP);
        if (!strip) {
            return 0;
        }
        const active = strip.dataset.active === "yes";
        if (!visible(root().querySelector("#ti_tabs"))) {
            return active && window.tiActivity && window.tiActivity.notifies() ? UNSEEN_SECONDS : 0;
        }
        const statuses = Array.from(root().querySelectorAll("#ti_tabs [data-refresh][data-active=yes]"));
        return active || statuses.some((one) => one.dataset.refresh in found) ? Number(strip.dataset.seconds) : 0;
    }

    // Press the buttons that are due, and return when the next one is. Nothing runs while the tab cannot be seen.
    function refresh() {
        const seconds = intervals();
        const due_in = (name) => (clicked_at[name] || 0) + 1000 * seconds[name] - Date.now();
        const names = Object.keys(seconds);
        names.filter((name) => due_in(name) <= 0).forEach(function (name) {
            clicked_at[name] = Date.now();
            root().querySelector("#" + name).click();
        });
        const next = Math.min(...names.map(due_in));
        window.clearTimeout(timer);
        if (Number.isFinite(next)) {
            timer = window.setTimeout(refresh, next);
        }
    }

    // Somebody looks at the page again: it shows at once what has changed meanwhile.
    function seen_again() {
        if (!document.hidden) {
            Object.keys(clicked_at).forEach((name) => delete clicked_at[name]);
        }
        refresh();
    }

    function open_txt2img(event) {
        const target = event.target;
        const sent = target && target.closest && target.closest("#ti_send_txt2img, #ti_make_use");
        if (sent && typeof window.switch_to_txt2img === "function") {
            window.setTimeout(window.switch_to_txt2img, 700);
        }
    }

    // Gradio 3 has plain boxes as titles of accordions, which the keyboard does not reach and screen readers do not
    // announce, and number fields of sliders without a name.
    function make_reachable() {
        root().querySelectorAll("#ti_tabs div.label-wrap:not([tabindex])").forEach(function (title) {
            title.tabIndex = 0;
            title.setAttribute("role", "button");
        });
        root().querySelectorAll("#ti_tabs div.label-wrap").forEach(function (title) {
            title.setAttribute("aria-expanded", String(title.classList.contains("open")));
        });
        root().querySelectorAll("#ti_tabs .head > input[type=number]:not([aria-label])").forEach(function (field) {
            const label = field.parentElement.querySelector("[data-testid=block-info]");
            field.setAttribute("aria-label", label ? label.textContent.trim() : "Number");
        });
        root().querySelectorAll("#ti_tabs .ti-refresh:not([title])").forEach(function (button) {
            button.title = "Refresh list";
            button.setAttribute("aria-label", "Refresh list");
        });
        // The number beside a slider has no name of its own.
        root().querySelectorAll("#ti_tabs .block input[type=number]:not([aria-label])").forEach(function (field) {
            const title = field.closest(".block").querySelector("[data-testid=block-info]");
            if (title && !field.closest("label")) {
                field.setAttribute("aria-label", title.textContent.trim());
            }
        });
    }

    // On Enter in a list, Gradio 3 chooses the first entry that begins with the typed text. Here the typed text counts,
    // unless an entry was chosen with the arrows.
    let chosen_by_arrows = false;

    function keep_typed(event) {
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

    function toggle(event) {
        const title = event.target;
        if ((event.key === "Enter" || event.key === " ") && title.matches && title.matches("#ti_tabs div.label-wrap")) {
            event.preventDefault();
            title.click();
        }
    }

    function opened_or_closed(event) {
        if (event.target.closest && event.target.closest("#ti_tabs .label-wrap")) {
            window.setTimeout(make_reachable, 0); // its class changes, which is no change of the tab
        }
    }

    document.addEventListener("ti-changed", function () {
        refresh();
        make_reachable();
    });
    document.addEventListener("visibilitychange", seen_again);
    window.addEventListener("focus", seen_again);
    document.addEventListener("keydown", toggle, true);
    document.addEventListener("keydown", keep_typed, true);
    document.addEventListener("click", open_txt2img, true);
    document.addEventListener("click", opened_or_closed);
    // Another tab of the WebUI or of ours may have become visible.
    document.addEventListener("click", () => window.setTimeout(refresh, 0));
})();
