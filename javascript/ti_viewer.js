// The viewer of large images, for every page: a press on a link with data-viewer opens it, and the images of the same
// group follow in the order of the page. Links with data-elsewhere only open it at the image of the same address. A page's
// script adds to what is beside the image on the event "ti-viewer-shows" of its link, whose detail is the dialog. Without
// this file such a link opens the image in another tab of the browser.
(function () {
    "use strict";

    const STEPS = {ArrowLeft: -1, ArrowUp: -1, PageUp: -1, ArrowRight: 1, ArrowDown: 1, PageDown: 1};
    let dialog = null; // while it is open
    let group = "";
    let shown = ""; // address of the image in it
    let place = 0;

    function members() {
        const links = window.tiSaving.findAll(`#ti_tabs a[data-viewer="${group}"]`);
        const open = links.filter(visible()); // another page may have the same group
        const own = open.filter((link) => !link.dataset.elsewhere);
        return own.length ? own : open;
    }

    // Whether the part of the page that a link is in can be seen; asked once for each part, which may have a thousand.
    function visible() {
        const seen = new Map();
        return function (link) {
            const part = link.closest("[id^=ti_]");
            seen.set(part, seen.has(part) ? seen.get(part) : part.offsetParent !== null);
            return seen.get(part);
        };
    }

    function create() {
        const made = document.createElement("dialog");
        made.className = "ti-large-image";
        made.dataset.group = group;
        made.setAttribute("aria-label", "Large image");
        made.innerHTML =
            '<div class="ti-large-stage"><img></div><div class="ti-large-side"><h4></h4>' +
            '<p class="ti-hint ti-large-facts"></p><div class="ti-large-more"></div>' +
            '<div class="ti-large-turn"><button type="button" data-go="-1" aria-label="Previous">←</button>' +
            '<span class="ti-large-place" aria-live="polite"></span>' +
            '<button type="button" data-go="1" aria-label="Next">→</button>' +
            '<button type="button" data-go="close">Close</button></div>' +
            '<p class="ti-hint">Keys: ← → for the next one, Home and End, <span class="ti-large-keys"></span>' +
            'Esc to close.</p></div>';
        made.addEventListener("close", closed);
        made.addEventListener("click", pressedInside);
        return made;
    }

    function fill(links) {
        const link = links[place];
        shown = link.href;
        const image = dialog.querySelector("img");
        image.src = link.href;
        image.alt = link.dataset.caption;
        dialog.querySelector("h4").textContent = link.dataset.caption;
        dialog.querySelector(".ti-large-facts").textContent = link.dataset.detail;
        dialog.querySelector(".ti-large-place").textContent = `${place + 1} of ${links.length}`;
        dialog.querySelectorAll("[data-go='-1'], [data-go='1']").forEach(function (button) {
            button.disabled = links.length < 2;
        });
        link.dispatchEvent(new CustomEvent("ti-viewer-shows", {bubbles: true, detail: dialog}));
        // The neighbours are there when they are asked for.
        [-1, 1].forEach(function (step) {
            new Image().src = links[(place + step + links.length) % links.length].href;
        });
    }

    function open(link) {
        group = link.dataset.viewer;
        const links = members();
        place = Math.max(0, links.findIndex((one) => one.href === link.href));
        dialog = create();
        window.tiSaving.find("#ti_tabs").append(dialog);
        fill(links);
        dialog.showModal();
        dialog.querySelector("[data-go='close']").focus();
    }

    // The page may have got other images meanwhile.
    function go(step) {
        const links = members();
        if (!links.length) {
            dialog.close();
            return;
        }
        const now = links.findIndex((one) => one.href === shown);
        const from = now < 0 ? Math.min(place, links.length - 1) : now;
        place = Number.isFinite(step) ? (from + step + links.length) % links.length : step < 0 ? 0 : links.length - 1;
        fill(links);
    }

    function closed() {
        const link = members().find((one) => one.href === shown);
        dialog.remove();
        dialog = null;
        if (link) {
            link.focus({preventScroll: true});
            link.scrollIntoView({block: "nearest", inline: "nearest"});
            link.dispatchEvent(new CustomEvent("ti-viewed", {bubbles: true}));
        }
    }

    function pressedInside(event) {
        const button = event.target.closest("[data-go]");
        if (event.target === dialog || (button && button.dataset.go === "close")) {
            dialog.close();
        } else if (button) {
            go(Number(button.dataset.go));
        }
    }

    function pressed(event) {
        const link = event.target.closest && event.target.closest("#ti_tabs a[data-viewer]");
        if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) {
            return;
        }
        event.preventDefault();
        open(link);
    }

    function keyPressed(event) {
        if (!dialog || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        const step = {...STEPS, Home: -Infinity, End: Infinity}[event.key];
        if (step !== undefined) {
            event.preventDefault();
            event.stopPropagation();
            go(step);
        }
    }

    document.addEventListener("click", pressed);
    document.addEventListener("keydown", keyPressed, true);
})();
