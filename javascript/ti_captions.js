// Shortcuts for the step Captions: keys for the next image, clicks in the list and on counted words, text sent while it
// is being typed, and a confirmation before leaving a page with unsaved captions. Everything also works without them.
(function () {
    "use strict";

    const DELAY = 350; // milliseconds without a key after which a field counts as left
    const ANSWERED = 5000; // milliseconds to wait for the answer to a click
    const KEYS = {ArrowDown: "ti_captions_next", ArrowUp: "ti_captions_previous"};
    const sent = {}; // last text of a field that was sent, by the field's name
    let waiting = 0;
    let watched = null;
    let clicked_at = -ANSWERED; // when a row of the list was clicked, until that is answered

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function find(selector) {
        return root().querySelector("#ti_tabs " + selector);
    }

    function field(name) {
        return find("#" + name + " :is(textarea, input)");
    }

    // Trigger the event for which Gradio waits until a field is left.
    function leave(one) {
        one.dispatchEvent(new FocusEvent("blur"));
    }

    // Leaving a field whose text was already sent must not send it again: the list would be replaced while one of its
    // rows is being clicked.
    function left(event) {
        const name = ["ti_captions_text", "ti_captions_find"].find((one) => field(one) === event.target);
        if (name && event.isTrusted && (sent[name] || "") === event.target.value) {
            event.stopPropagation();
        } else if (name) {
            sent[name] = event.target.value;
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
            clicked_at = performance.now();
            window.setTimeout(leave, 0, put("ti_captions_position", button.dataset.name));
        } else if (button.closest("#ti_captions_counts")) {
            put("ti_captions_pick", button.dataset.find);
        }
    }

    function typed(event) {
        const one = event.target;
        if (one === field("ti_captions_text") || one === field("ti_captions_find")) {
            window.clearTimeout(waiting);
            waiting = window.setTimeout(leave, DELAY, one);
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
            // The WebUI uses Ctrl+Enter for Generate, and browsers use Ctrl+S to save the page.
            event.preventDefault();
            event.stopPropagation();
            // The button sends the text itself.
            window.clearTimeout(waiting);
            find("#" + button).click();
        }
    }

    // After an update of the list, restore the focus to the clicked row and scroll the open image into view, without
    // scrolling the page.
    function follow() {
        const row = watched.querySelector("[aria-current]");
        if (!row) {
            return;
        }
        // Not at the first change: Gradio 4 also changes the list once while it waits.
        if (performance.now() - clicked_at < ANSWERED && document.activeElement === document.body) {
            row.focus({preventScroll: true});
            clicked_at = -ANSWERED;
        }
        const inside = row.getBoundingClientRect();
        const around = watched.getBoundingClientRect();
        if (inside.top < around.top || inside.bottom > around.bottom) {
            watched.scrollTop += inside.top - around.top - (around.height - inside.height) / 2;
        }
    }

    function watch() {
        // In Gradio 3 two elements have the id; the inner one scrolls.
        const list = [...root().querySelectorAll("#ti_tabs #ti_captions_list")].pop();
        if (list && list !== watched) {
            watched = list;
            new MutationObserver(follow).observe(list, {childList: true, subtree: true});
        }
    }

    function confirmLeaving(event) {
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
    window.addEventListener("beforeunload", confirmLeaving);
})();
