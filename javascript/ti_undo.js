// Undo and Redo in the sub-tab Dataset: the keys press the buttons of the open step. A text field keeps its own undo
// while it is being typed in; elsewhere the browser would undo in an invisible field.
(function () {
    "use strict";

    // By the end of the step's id; if the first button is disabled, the next one is tried.
    const BUTTONS = {
        inspect: ["#ti_inspect_"],
        crop: ["#ti_crop_grid "],
        remove: ["#ti_remove_stage ", "#ti_remove_"],
        masks: ["#ti_masks_stage "],
        captions: ["#ti_captions_"],
    };
    let typed = {field: null, text: ""}; // what was typed last since its field got the focus

    function findAll(selector) {
        return window.tiSaving.findAll(`#ti_tab_dataset ${selector}`);
    }

    function isVisible(element) {
        return element.offsetParent !== null;
    }

    function wayOf(event) {
        if (!(event.ctrlKey || event.metaKey) || event.altKey) {
            return "";
        }
        return {z: event.shiftKey ? "redo" : "undo", y: "redo"}[event.key.toLowerCase()] || "";
    }

    // Whether a button can do something.
    function isEnabled(button, way) {
        const owner = button.closest("[data-undo]");
        return isVisible(button) && !button.disabled && (!button.dataset.act || Boolean(owner && owner.dataset[way] === "yes"));
    }

    function keyPressed(event) {
        const way = wayOf(event);
        const inside = event.target === document.body || (event.target.closest && event.target.closest("#ti_tab_dataset"));
        const step = way && inside && findAll("[id^=ti_step_]:not(button)").find(isVisible);
        if (!step || (event.target === typed.field && event.target.value === typed.text)) {
            return;
        }
        event.preventDefault();
        const places = BUTTONS[step.id.replace("ti_step_", "")] || [];
        const selectors = places.map((place) => place.endsWith(" ") ? `${place}[data-act="${way}"]` : place + way);
        const button = selectors.flatMap(findAll).find((one) => isEnabled(one, way));
        if (button && !document.querySelector("dialog[open]")) {
            button.click();
        }
    }

    // Set whether the buttons with data-act in an element can do something, and, where labels say it, what.
    function report(element, undo, redo, labels) {
        element.dataset.undo = undo ? "yes" : "no";
        element.dataset.redo = redo ? "yes" : "no";
        Object.entries(labels || {}).forEach(function ([way, label]) {
            element.querySelectorAll(`[data-act="${way}"]`).forEach(function (button) {
                const word = {undo: "Undo", redo: "Redo"}[way];
                button.textContent = label ? `${word}: ${label}` : word;
            });
        });
    }

    // Undo history of one object at a time; switching to another object clears it. A change may have a label, which
    // says what it did.
    function history(most) {
        let current = "";
        let done = [];
        let undone = [];
        return {
            of: function (now) {
                [done, undone] = now === current ? [done, undone] : [[], []];
                current = now;
                return this;
            },
            add: function (change) {
                done = [...done, change].slice(-most);
                undone = [];
            },
            take: function (way) {
                const [from, to] = way === "undo" ? [done, undone] : [undone, done];
                to.push(...from.slice(-1));
                return from.pop();
            },
            report: (element) => report(element, done.length, undone.length, {
                undo: labelOf(done), redo: labelOf(undone),
            }),
        };
    }

    function labelOf(changes) {
        return changes.length ? changes[changes.length - 1].label || "" : "";
    }

    document.addEventListener("input", function (event) {
        if (event.isTrusted) {
            typed = {field: event.target, text: event.target.value};
        }
    }, true);
    document.addEventListener("focusout", function () {
        typed = {field: null, text: ""};
    }, true);
    document.addEventListener("keydown", keyPressed);

    window.tiUndo = {history: history, report: report};
})();
