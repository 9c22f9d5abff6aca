// The step Inspect: switches that exclude images, clickable search words and column headers, and a viewer for large
// images. Without this file, the search, the order and a list of names do the same.
(function () {
    "use strict";

    const SHOWN_BY = 5000; // milliseconds to wait for a requested update of the page
    const unsent = {}; // decisions by digest: whether to exclude the image
    let saver = null;
    let viewer = null; // the dialog, while it is open
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
        if (viewer && shown in decisions) {
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

    function toggle(image) {
        if (image && switchOf(image)) {
            decide({[image.dataset.digest]: !isExcluded(image)});
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

    // The viewer of large images.

    function fill(image) {
        const link = image.querySelector(".ti-zoom");
        const issues = Array.from(image.querySelectorAll(".ti-issue:not(.ti-issue-group)"));
        const others = all();
        shown = image.dataset.digest;
        viewer.querySelector("img").src = link.href;
        viewer.querySelector("img").alt = image.dataset.name;
        viewer.querySelector("h4").textContent = image.dataset.name;
        viewer.querySelector(".ti-large-facts").textContent = image.querySelector("img").title;
        viewer.querySelector(".ti-large-place").textContent = `${others.indexOf(image) + 1} of ${others.length}`;
        const list = viewer.querySelector("ul");
        list.replaceChildren(...issues.map(function (issue) {
            const line = document.createElement("li");
            const label = issue.cloneNode(true);
            label.removeAttribute("title");
            line.append(label, ` ${issue.title}`);
            return line;
        }));
        const button = switchOf(viewer);
        button.hidden = !switchOf(image);
        button.setAttribute("aria-label", `Use ${image.dataset.name}`);
        const excluded = image.classList.contains("ti-is-excluded");
        button.setAttribute("aria-checked", String(!excluded));
        viewer.classList.toggle("ti-is-excluded", excluded);
        viewer.dataset.number = String(others.indexOf(image));
    }

    function createViewer() {
        const dialog = document.createElement("dialog");
        dialog.className = "ti-large-image";
        dialog.setAttribute("aria-label", "Large image");
        dialog.innerHTML =
            '<div class="ti-large-stage"><img></div><div class="ti-large-side"><h4></h4>' +
            '<p class="ti-hint ti-large-facts"></p><ul></ul>' +
            '<button type="button" role="switch" class="ti-switch"></button>' +
            '<div class="ti-large-turn"><button type="button" data-go="-1" aria-label="Previous">←</button>' +
            '<span class="ti-large-place"></span><button type="button" data-go="1" aria-label="Next">→</button>' +
            '<button type="button" data-go="close">Close</button></div>' +
            '<p class="ti-hint">Keys: ← → for the next one, L to exclude or include, Esc to close.</p></div>';
        dialog.addEventListener("close", function () {
            const image = all()[Number(dialog.dataset.number)];
            dialog.remove();
            viewer = null;
            if (image) {
                (image.querySelector(".ti-select") || image.querySelector(".ti-zoom")).focus();
                image.scrollIntoView({block: "nearest"});
            }
        });
        dialog.addEventListener("click", function (event) {
            if (event.target === dialog) {
                dialog.close();
            }
        });
        return dialog;
    }

    function openViewer(image) {
        viewer = createViewer();
        window.tiSaving.find("#ti_inspect_images").append(viewer);
        fill(image);
        viewer.showModal();
        switchOf(viewer).focus();
    }

    function go(step) {
        const others = all();
        const next = others[(Number(viewer.dataset.number) + step + others.length) % others.length];
        if (next) {
            fill(next);
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
        } else if (viewer && viewer.contains(target)) {
            pressedInViewer(target);
        } else if (target.closest("#ti_inspect_images .ti-inspected")) {
            pressedOnImage(event, target);
        }
    }

    function pressedInViewer(target) {
        if (target.matches(".ti-switch")) {
            toggle(all()[Number(viewer.dataset.number)]);
        } else if (target.dataset.go === "close") {
            viewer.close();
        } else {
            go(Number(target.dataset.go));
        }
    }

    function pressedOnImage(event, target) {
        const image = target.closest(".ti-inspected");
        if (target.matches(".ti-switch")) {
            toggle(image);
        } else if (target.matches(".ti-inspect-only")) {
            only(image);
        } else if (target.matches("a") && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
            event.preventDefault();
            openViewer(image);
        }
    }

    function keyPressed(event) {
        if (!viewer || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        const steps = {ArrowLeft: -1, ArrowRight: 1};
        if (steps[event.key]) {
            event.preventDefault();
            go(steps[event.key]);
        } else if (event.key.toLowerCase() === "l") {
            event.preventDefault();
            toggle(all()[Number(viewer.dataset.number)]);
        }
    }

    window.tiInspect = {decide: decide, open: openViewer};
    document.addEventListener("click", pressed);
    document.addEventListener("keydown", keyPressed);
})();
