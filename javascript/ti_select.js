// The gallery of the step Inspect: several images are selected, by pointer and by keys, and excluded or included
// together. Without this file, the switches and “Exclude all shown” do the same.
(function () {
    "use strict";

    const INSIDE = "#ti_inspect_images .ti-inspect";
    const CONTROLS = [".ti-select", ".ti-zoom", ".ti-switch", ".ti-issue-group", ".ti-inspect-only"];
    let selected = new Set(); // digests
    let anchor = ""; // digest of the image that a range begins with
    let current = ""; // digest of the image that the keys are at
    let version = ""; // of the shown list

    function list() {
        return window.tiSaving.find(INSIDE);
    }

    function boxes() {
        return list() ? Array.from(list().querySelectorAll(".ti-select")) : [];
    }

    function imageOf(element) {
        return element.closest ? element.closest(`${INSIDE} .ti-inspected`) : null;
    }

    function digestOf(box) {
        return imageOf(box).dataset.digest;
    }

    function placeOf(digest) {
        return boxes().findIndex((box) => digestOf(box) === digest);
    }

    // The selection.

    function show() {
        boxes().forEach(function (box) {
            const yes = selected.has(digestOf(box));
            box.checked = yes;
            imageOf(box).classList.toggle("ti-selected", yes);
        });
        const bar = list() && list().querySelector(".ti-selection");
        if (bar) {
            bar.hidden = selected.size === 0;
            bar.querySelector("b").textContent = `${selected.size} selected`;
        }
    }

    function select(digests) {
        selected = new Set(digests);
        show();
    }

    function range(from, to) {
        const [first, last] = [placeOf(from), placeOf(to)].sort((one, other) => one - other);
        return boxes().slice(Math.max(0, first), last + 1).map(digestOf);
    }

    // Select as file managers do: alone, up to here with Shift, and one more or less with Ctrl.
    function choose(digest, event) {
        if (event.shiftKey && placeOf(anchor) >= 0) {
            select([...(event.ctrlKey || event.metaKey ? selected : []), ...range(anchor, digest)]);
        } else if (event.ctrlKey || event.metaKey) {
            toggle(digest);
        } else {
            anchor = digest;
            select([digest]);
        }
        go(digest, false);
    }

    function toggle(digest) {
        anchor = digest;
        select(selected.has(digest) ? [...selected].filter((one) => one !== digest) : [...selected, digest]);
    }

    function decide(excluded) {
        if (selected.size) {
            window.tiInspect.decide(Object.fromEntries([...selected].map((digest) => [digest, excluded])));
        }
    }

    // Exclude the selected images, or include them where all of them are excluded.
    function exchange() {
        const images = boxes().map(imageOf).filter((image) => selected.has(image.dataset.digest));
        decide(images.some((image) => !image.classList.contains("ti-is-excluded")));
    }

    // The keys: Tab goes to one image only, and the arrows from there to the others.

    function reachable(digest, yes) {
        const box = boxes()[placeOf(digest)];
        if (box) {
            imageOf(box).querySelectorAll(CONTROLS.join()).forEach((one) => one.tabIndex = yes ? 0 : -1);
        }
    }

    function go(digest, focus) {
        if (digest !== current) {
            reachable(current, false);
            current = digest;
            reachable(current, true);
        }
        const box = boxes()[placeOf(digest)];
        if (box && focus) {
            box.focus();
            box.scrollIntoView({block: "nearest"});
        }
    }

    // The number of images in a row.
    function across() {
        const tops = boxes().map((box) => imageOf(box).offsetTop);
        const row = tops.findIndex((top) => top !== tops[0]);
        return row < 1 ? tops.length : row;
    }

    function target(key, place, last) {
        const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across(), ArrowDown: across()};
        if (key in steps) {
            const to = place + steps[key];
            return to < 0 || to > last ? place : to;
        }
        return {Home: 0, End: last}[key];
    }

    function keyPressed(event) {
        const image = imageOf(event.target);
        if (!image || event.altKey || document.querySelector("dialog[open]")) {
            return;
        }
        const shown = boxes();
        const command = event.ctrlKey || event.metaKey;
        const to = command ? undefined : target(event.key, placeOf(image.dataset.digest), shown.length - 1);
        if (to !== undefined && shown[to]) {
            go(digestOf(shown[to]), true);
            if (event.shiftKey) {
                anchor = placeOf(anchor) >= 0 ? anchor : image.dataset.digest;
                select(range(anchor, digestOf(shown[to])));
            }
        } else if (command && event.key.toLowerCase() === "a") {
            select(shown.map(digestOf));
        } else if (event.key === "Escape" && selected.size) {
            select([]);
        } else if (!command && event.key.toLowerCase() === "l") {
            if (!selected.size) {
                select([image.dataset.digest]);
            }
            exchange();
        } else if (event.key === "Enter" && event.target.matches(".ti-select")) {
            image.querySelector(".ti-zoom").click();
        } else {
            return;
        }
        event.preventDefault();
    }

    function clicked(event) {
        const button = event.target.closest && event.target.closest(`${INSIDE} [data-select]`);
        if (button) {
            const action = button.dataset.select;
            if (action === "none") {
                select([]);
            } else {
                decide(action === "exclude");
            }
            return;
        }
        const image = imageOf(event.target);
        const box = image && image.querySelector(".ti-select");
        if (!box || event.target.closest("a, button")) {
            return;
        }
        if (event.target !== box) {
            choose(image.dataset.digest, event);
            box.focus({preventScroll: true});
        } else if (event.shiftKey) {
            choose(image.dataset.digest, event);
        } else {
            toggle(image.dataset.digest);
            go(image.dataset.digest, false);
        }
    }

    function doubleClicked(event) {
        const image = imageOf(event.target);
        if (image && event.target.matches("img")) {
            image.querySelector(".ti-zoom").click();
        }
    }

    // Another list: what is not in it is not selected.
    document.addEventListener("ti-changed", function () {
        const now = list() ? list().dataset.version : "";
        if (now === version) {
            return;
        }
        version = now;
        const digests = boxes().map(digestOf);
        const inside = list() ? list().querySelectorAll(CONTROLS.map((one) => `.ti-inspected ${one}`).join()) : [];
        inside.forEach((one) => one.tabIndex = -1);
        current = "";
        select(digests.filter((digest) => selected.has(digest)));
        if (digests.length) {
            go(digests[0], false);
        }
    });
    // Shift+click would mark text.
    document.addEventListener("mousedown", function (event) {
        if (event.shiftKey && imageOf(event.target)) {
            event.preventDefault();
        }
    });
    document.addEventListener("click", clicked);
    document.addEventListener("dblclick", doubleClicked);
    document.addEventListener("keydown", keyPressed);
})();
