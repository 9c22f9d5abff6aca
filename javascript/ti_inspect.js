// The step Inspect: switches that exclude images, clickable search words and column headers, and what the viewer of large
// images shows beside one: its issues and its switch. Without this file, the search, the order and a list of names do the
// same.
(function () {
    "use strict";

    const SHOWN_BY = 5000; // milliseconds to wait for a requested update of the page
    const unsent = {}; // decisions by digest: whether to exclude the image
    let saver = null;
    let viewer = null; // the viewer's dialog, while it shows an image of this step
    let shown = ""; // digest of the image in it

    function list() {
        return window.tiSaving.find("#ti_inspect_images .ti-inspect");
    }

    function all() {
        return list() ? Array.from(list().querySelectorAll(".ti-inspected")) : [];
    }

    function switchOf(image) {
        return image.querySelector(".ti-switch");
    }

    // Decisions.

    // Whether images are excluded, by digest.
    function showAll(decisions) {
        all().filter((image) => image.dataset.digest in decisions && switchOf(image)).forEach(function (image) {
            mark(image, decisions[image.dataset.digest]);
        });
        if (viewer && shown in decisions && switchOf(viewer)) {
            mark(viewer, decisions[shown]);
        }
    }

    function mark(element, excluded) {
        element.classList.toggle("ti-is-excluded", excluded);
        switchOf(element).setAttribute("aria-checked", String(!excluded));
    }

    function isExcluded(image) {
        return switchOf(image).getAttribute("aria-checked") === "false";
    }

    function decide(decisions) {
        Object.keys(decisions).forEach((digest) => unsent[digest] = decisions[digest]);
        showAll(decisions);
        saving().change();
    }

    // Exclude or include an image by its switch in the gallery or in the viewer.
    function toggle(element, digest) {
        if (switchOf(element)) {
            decide({[digest]: !isExcluded(element)});
        }
    }

    function only(image) {
        const decisions = {};
        image.closest(".ti-inspect-group").querySelectorAll(".ti-inspected").forEach(function (one) {
            decisions[one.dataset.digest] = one.dataset.digest !== image.dataset.digest;
        });
        decide(decisions);
    }

    function saving() {
        saver = saver || window.tiSaving.saver({
            field: "ti_inspect_changes",
            answerBox: "ti_inspect_message",
            wait: 1,
            take: function () {
                const taken = {folders: list() ? list().dataset.folders : "", images: {...unsent}};
                Object.keys(unsent).forEach((digest) => delete unsent[digest]);
                return Object.keys(taken.images).length ? taken : null;
            },
            message: (data, number) => JSON.stringify({number: number, folders: data.folders, images: data.images}),
            failed: (data) => showAll(Object.fromEntries(
                Object.entries(data.images).map(([digest, excluded]) => [digest, !excluded]))),
            saved: () => undefined,
        });
        return saver;
    }

    // Requests for other images. The pressed element is replaced by the answer; the focus moves to the new one.

    function request(field, text, pressed) {
        const before = window.tiSaving.find(pressed);
        function restore() {
            const now = window.tiSaving.find(pressed);
            if (now === null || now === before) {
                return;
            }
            if (document.activeElement === document.body) {
                now.focus({preventScroll: true});
            }
            document.removeEventListener("ti-changed", restore);
        }
        document.addEventListener("ti-changed", restore);
        window.setTimeout(() => document.removeEventListener("ti-changed", restore), SHOWN_BY);
        window.tiSaving.write(field, text);
    }

    // Beside the large image: its issues, and its switch.

    function fill(event) {
        const image = event.target.closest("#ti_inspect_images .ti-inspected");
        viewer = image && event.detail;
        if (!image) {
            return;
        }
        shown = image.dataset.digest;
        const list = document.createElement("ul");
        list.append(...Array.from(image.querySelectorAll(".ti-issue:not(.ti-issue-group)")).map(function (issue) {
            const line = document.createElement("li");
            const label = issue.cloneNode(true);
            label.removeAttribute("title");
            line.append(label, ` ${issue.title}`);
            return line;
        }));
        const more = viewer.querySelector(".ti-large-more");
        const button = switchOf(image);
        const before = switchOf(more);
        const focused = before !== null && before === document.activeElement;
        if (button && before) {
            ["aria-checked", "aria-label"].forEach((name) => before.setAttribute(name, button.getAttribute(name)));
            more.querySelector("ul").replaceWith(list);
        } else {
            more.replaceChildren(list, ...(button ? [button.cloneNode(true)] : []));
        }
        if (focused && !button) {
            viewer.querySelector('[data-go="close"]').focus();
        }
        viewer.querySelector(".ti-large-keys").textContent = button ? "L to exclude or include, " : "";
        viewer.classList.toggle("ti-is-excluded", image.classList.contains("ti-is-excluded"));
    }

    // The viewer was closed: the keys of the gallery continue at the image that it showed last.
    function viewed(event) {
        const image = event.target.closest("#ti_inspect_images .ti-inspected");
        const box = image && image.querySelector(".ti-select");
        if (box) {
            box.focus({preventScroll: true});
        }
    }

    // Events.

    function pressed(event) {
        const target = event.target.closest && event.target.closest("#ti_tabs :is(button, a)");
        if (!target) {
            return;
        }
        if (target.dataset.find !== undefined && target.closest("#ti_inspect_summary, #ti_inspect_images")) {
            const word = target.dataset.word;
            request("ti_inspect_find", target.dataset.find, word ? `#ti_inspect_summary [data-word="${word}"]` : "#ti_inspect_find");
        } else if (target.dataset.sort && target.closest("#ti_inspect_images")) {
            // With the time, since the same text in the field would not trigger an event.
            const key = target.dataset.sort;
            request("ti_inspect_sort", `${key} ${Date.now()}`, `#ti_inspect_images [data-sort="${key}"]`);
        } else if (inViewer() && viewer.contains(target) && target.matches(".ti-switch")) {
            toggle(viewer, shown);
        } else if (target.closest("#ti_inspect_images .ti-inspected")) {
            pressedOnImage(target);
        }
    }

    function inViewer() {
        return viewer !== null && viewer.open;
    }

    function pressedOnImage(target) {
        const image = target.closest(".ti-inspected");
        if (target.matches(".ti-switch")) {
            toggle(image, image.dataset.digest);
        } else if (target.matches(".ti-inspect-only")) {
            only(image);
        }
    }

    function keyPressed(event) {
        const command = event.ctrlKey || event.metaKey || event.altKey;
        if (inViewer() && !command && event.key.toLowerCase() === "l") {
            event.preventDefault();
            toggle(viewer, shown);
        }
    }

    window.tiInspect = {decide: decide};
    document.addEventListener("ti-viewer-shows", fill);
    document.addEventListener("ti-viewed", viewed);
    document.addEventListener("click", pressed);
    document.addEventListener("keydown", keyPressed);
})();
