// The folder browser as a dialog: it takes the focus and gives it back, keys walk through folders, a double click opens
// one. Without this file the same is done with its buttons.
(function () {
    "use strict";

    const PANEL = "#ti_folders_panel";
    let opener = null; // the element that had the focus before the dialog was opened
    let listed = ""; // number of the list that has the focus

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function panel() {
        const found = root().querySelector("#ti_tabs " + PANEL);
        return found && found.getClientRects().length ? found : null;
    }

    function press(name) {
        const button = root().querySelector("#ti_folders_" + name);
        if (button && !button.disabled) {
            button.click();
        }
    }

    function focus_list(dialog) {
        const radios = Array.from(dialog.querySelectorAll("#ti_folders_list input"));
        const field = radios.find((one) => one.checked) || radios[0] || dialog.querySelector("#ti_folders_location :is(input, textarea)");
        if (field) {
            field.focus();
        }
    }

    function describe(dialog) {
        dialog.setAttribute("role", "dialog");
        dialog.setAttribute("aria-modal", "true");
        dialog.setAttribute("aria-labelledby", "ti_folders_heading");
    }

    function follow() {
        root().querySelectorAll("#ti_tabs .ti-browse:not([title])").forEach(function (button) {
            button.title = "Browse folders";
            button.setAttribute("aria-label", "Browse folders");
        });
        const dialog = panel();
        if (!dialog) {
            if (opener && opener.isConnected) {
                opener.focus();
            }
            opener = null;
            listed = "";
            return;
        }
        describe(dialog);
        if (!listed && !dialog.contains(document.activeElement)) {
            opener = opener || document.activeElement;
        }
        const state = dialog.querySelector("[data-listed]");
        // A refusal has no number: the focus stays where it is, unless the dialog has just been opened.
        const number = state ? state.dataset.listed : listed || "none";
        if (number !== listed) {
            listed = number;
            focus_list(dialog);
        }
    }

    // Each radio of Gradio 4 is a group of its own, in which arrow keys do nothing.
    function step(event, list) {
        const radios = Array.from(list.querySelectorAll("input"));
        const here = radios.indexOf(event.target);
        const ends = {ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: radios.length - 1};
        const next = radios[Math.min(Math.max(ends[event.key], 0), radios.length - 1)];
        if (next && next !== event.target) {
            next.focus();
            next.click();
        }
    }

    // The first and the last element that the Tab key reaches.
    function turn(event, dialog) {
        const reached = Array.from(dialog.querySelectorAll("button, input, textarea")).filter(function (one) {
            return !one.disabled && one.getClientRects().length && (one.type !== "radio" || one.checked);
        });
        const end = event.shiftKey ? reached[0] : reached[reached.length - 1];
        if (document.activeElement === end) {
            event.preventDefault();
            (event.shiftKey ? reached[reached.length - 1] : reached[0]).focus();
        }
    }

    function key(event) {
        const dialog = panel();
        if (!dialog) {
            return;
        }
        const in_list = event.target.closest && event.target.closest("#ti_folders_list");
        let done = true;
        if (event.key === "Escape") {
            press("cancel");
        } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            press("choose");
        } else if (event.key === "Enter" && in_list) {
            press("open");
        } else if (event.key === "Backspace" && in_list) {
            press("up");
        } else if (in_list && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
            step(event, in_list);
        } else if (event.key === "Tab") {
            turn(event, dialog);
            done = false;
        } else {
            done = false;
        }
        if (done) {
            event.preventDefault();
            event.stopPropagation();
        }
    }

    document.addEventListener("ti-changed", follow);
    document.addEventListener("keydown", key, true);
    document.addEventListener("dblclick", function (event) {
        if (event.target.closest && event.target.closest(PANEL + " #ti_folders_list label")) {
            press("open");
        }
    });
})();
