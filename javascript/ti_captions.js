// Comfort for the step Captions: keys for going on, clicks in the list and on counted words, what is typed without
// leaving its field, and a question before a page with unsaved captions is left. All of it works by the fields as well.
(function () {
    "use strict";

    const SETTLED = 350; // milliseconds without a key, after which a field is taken as if it were left
    const ANSWERED = 5000; // milliseconds after which the answer to a press is not waited for any more
    const KEYS = {ArrowDown: "ti_captions_next", ArrowUp: "ti_captions_previous"};
    const taken = {}; // what Python was given of a field, by the field's name
    let waiting = 0;
    let watched = null;
    let pressed_at = -ANSWERED; // when a row of the list was pressed, until that has an answer

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function find(selector) {
        return root().querySelector("#ti_tabs " + selector);
    }

    function field(name) {
        return find("#" + name + " :is(textarea, input)");
    }

    // What Gradio waits for until a field is left.
    function leave(one) {
        one.dispatchEvent(new FocusEvent("blur"));
    }

    // A field that is left with what was taken from it already changes nothing: else the list would be made anew under
    // the finger that has just pressed one of its rows.
    function left(event) {
        const name = ["ti_captions_text", "ti_captions_find"].find((one) => field(one) === event.target);
        if (name && event.isTrusted && (taken[name] || "") === event.target.value) {
            event.stopPropagation();
        } else if (name) {
            taken[name] = event.target.value;
        }
    }

    function put(name, text) {
        const one = field(name);
        one.value = text;
        one.dispatchEvent(new Event("input", {bubbles: true}));
        return one;
    }

    function clicked(event) {
        const button = event.target.closest && event.target.closest("#ti_tabs [data-name], #ti_tabs [data-find]");
        if (!button) {
            return;
        }
        if (button.closest("#ti_captions_list")) {
            watch();
            pressed_at = performance.now();
            window.setTimeout(leave, 0, put("ti_captions_at", button.dataset.name));
        } else if (button.closest("#ti_captions_counts")) {
            put("ti_captions_pick", button.dataset.find);
        }
    }

    function typed(event) {
        const one = event.target;
        if (one === field("ti_captions_text") || one === field("ti_captions_find")) {
            window.clearTimeout(waiting);
            waiting = window.setTimeout(leave, SETTLED, one);
        }
    }

    function pressed(event) {
        const step = find("#ti_step_captions");
        if (!step || step.offsetParent === null || !(step.contains(event.target) || event.target === document.body)) {
            return;
        }
        const command = event.ctrlKey || event.metaKey;
        let button = event.altKey && !command ? KEYS[event.key] : undefined;
        if (command && event.key === "Enter") {
            button = event.shiftKey ? "ti_captions_previous" : "ti_captions_next";
        } else if (command && !event.altKey && (event.key === "s" || event.key === "S")) {
            button = "ti_captions_save";
        }
        if (button && find("#" + button)) {
            // The WebUI takes Ctrl+Enter for Generate, and browsers Ctrl+S for saving the page.
            event.preventDefault();
            event.stopPropagation();
            // The button takes the text itself.
            window.clearTimeout(waiting);
            find("#" + button).click();
        }
    }

    // The list was made anew: the row that was pressed has the focus again, and the open picture is in sight. The page
    // itself is not moved.
    function follow() {
        const row = watched.querySelector("[aria-current]");
        if (!row) {
            return;
        }
        // Not at the first change: Gradio 4 changes the list once while it waits, too.
        if (performance.now() - pressed_at < ANSWERED && document.activeElement === document.body) {
            row.focus({preventScroll: true});
            pressed_at = -ANSWERED;
        }
        const inside = row.getBoundingClientRect();
        const around = watched.getBoundingClientRect();
        if (inside.top < around.top || inside.bottom > around.bottom) {
            watched.scrollTop += inside.top - around.top - (around.height - inside.height) / 2;
        }
    }

    function watch() {
        // In Gradio 3 two boxes have the name, of which the inner one scrolls.
        const list = [...root().querySelectorAll("#ti_tabs #ti_captions_list")].pop();
        if (list && list !== watched) {
            watched = list;
            new MutationObserver(follow).observe(list, {childList: true, subtree: true});
        }
    }

    function asked(event) {
        const unsaved = find("#ti_captions_state .ti-unsaved");
        if (unsaved && unsaved.dataset.unsaved !== "0") {
            event.preventDefault();
            event.returnValue = "";
        }
    }

    document.addEventListener("ti-changed", watch);
    document.addEventListener("click", clicked);
    document.addEventListener("input", typed);
    document.addEventListener("blur", left, true);
    document.addEventListener("keydown", pressed, true);
    window.addEventListener("beforeunload", asked);
})();
