// Undo and Redo in the sub-tab Dataset: the keys act in the whole step that is open, by the step's own buttons. A text
// field keeps its own undo while it is being typed in; anywhere else the browser would undo in a field that nobody sees.
(function () {
    "use strict";

    // By the end of the step's id; where the first button has nothing to do, the next one is tried.
    const BUTTONS = {
        look: ["#ti_look_"],
        cut: ["#ti_cut_grid "],
        erase: ["#ti_erase_stage ", "#ti_erase_"],
        masks: ["#ti_masks_stage "],
        captions: ["#ti_captions_"],
    };
    let typed = {field: null, text: ""}; // what was typed last, since its field has the focus

    function findAll(selector) {
        return window.tiSaving.findAll(`#ti_tab_dataset ${selector}`);
    }

    function seen(element) {
        return element.offsetParent !== null;
    }

    function wayOf(event) {
        if (!(event.ctrlKey || event.metaKey) || event.altKey) {
            return "";
        }
        return {z: event.shiftKey ? "redo" : "undo", y: "redo"}[event.key.toLowerCase()] || "";
    }

    // Whether a button has something to do.
    function works(button, way) {
        const told = button.closest("[data-undo]");
        return seen(button) && !button.disabled && (!button.dataset.act || Boolean(told && told.dataset[way] === "yes"));
    }

    function keyed(event) {
        const way = wayOf(event);
        const inside = event.target === document.body || (event.target.closest && event.target.closest("#ti_tab_dataset"));
        const step = way && inside && findAll("[id^=ti_step_]:not(button)").find(seen);
        if (!step || (event.target === typed.field && event.target.value === typed.text)) {
            return;
        }
        event.preventDefault();
        const places = BUTTONS[step.id.replace("ti_step_", "")] || [];
        const selectors = places.map((place) => place.endsWith(" ") ? `${place}[data-act="${way}"]` : place + way);
        const button = selectors.flatMap(findAll).find((one) => works(one, way));
        if (button && !document.querySelector("dialog[open]")) {
            button.click();
        }
    }

    // The buttons in an element with data-act say by this whether they have something to do.
    function tell(element, undo, redo) {
        element.dataset.undo = undo ? "yes" : "no";
        element.dataset.redo = redo ? "yes" : "no";
    }

    // Changes that can be undone and redone, of one thing at a time: those of another one are forgotten.
    function history(most) {
        let thing = "";
        let done = [];
        let undone = [];
        return {
            of: function (now) {
                [done, undone] = now === thing ? [done, undone] : [[], []];
                thing = now;
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
            tell: (element) => tell(element, done.length, undone.length),
        };
    }

    document.addEventListener("input", function (event) {
        if (event.isTrusted) {
            typed = {field: event.target, text: event.target.value};
        }
    }, true);
    document.addEventListener("focusout", function () {
        typed = {field: null, text: ""};
    }, true);
    document.addEventListener("keydown", keyed);

    window.tiUndo = {history: history, tell: tell};
})();
