// Counts, in hidden fields, how often the content of elements has changed: Gradio 4 reports a change of every HTML element
// whenever anything on the page is updated. Without this file, Dataset's strip is brought up to date when a step is
// opened, and an error that another button has fixed stays until the next press of its own.
(function () {
    "use strict";

    const seen = {}; // contents by the field's id

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    // Only what the server has sent, not the signs of waiting that Gradio puts beside it.
    function content(id) {
        const shown = root().querySelector("#" + id + " .prose");
        return shown ? shown.innerHTML : "";
    }

    function compare() {
        root().querySelectorAll("#ti_tabs [data-counter]").forEach(function (one) {
            const name = one.dataset.counter;
            const contents = one.dataset.watched.split(" ").map(content);
            const before = seen[name];
            const field = root().querySelector("#" + name + " :is(textarea, input)");
            seen[name] = contents;
            if (field && before && contents.some((text, place) => text !== before[place])) {
                field.value = String(Number(field.value) + 1);
                field.dispatchEvent(new Event("input", {bubbles: true}));
            }
        });
    }

    document.addEventListener("ti-changed", compare);
})();
