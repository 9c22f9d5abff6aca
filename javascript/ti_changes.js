// Notifies the tab's other scripts that the tab has changed, by the event "ti-changed" on the document. They react to it
// instead of polling, and need not know in which order the browser loads these files.
(function () {
    "use strict";

    const DELAY = 100; // milliseconds without a change after which the tab has settled
    let soon = 0;
    let later = 0;

    function dispatch() {
        soon = 0;
        document.dispatchEvent(new Event("ti-changed"));
    }

    // Once after the change itself and once when all has settled: Gradio sets values of fields, which no observer
    // sees, in the same update as the elements around them but not always in the same task.
    function changed() {
        soon = soon || window.setTimeout(dispatch, 0);
        window.clearTimeout(later);
        later = window.setTimeout(dispatch, DELAY);
    }

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function follow(_, waiting) {
        const tabs = root().querySelector("#ti_tabs");
        if (tabs) {
            waiting.disconnect();
            new MutationObserver(changed).observe(tabs, {childList: true, subtree: true, characterData: true});
            changed();
        }
    }

    new MutationObserver(follow).observe(document, {childList: true, subtree: true});
})();
