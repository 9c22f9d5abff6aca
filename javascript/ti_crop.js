// The step Crop: crop boxes are moved, resized, added and deleted, by pointer and by keys. The page's elements hold the
// decisions; each change is sent to the server. Without this file, the boxes can be edited as text.
(function () {
    "use strict";

    const LEAST = 8; // shortest side of a box in pixels of the image
    const STEP = 0.02; // step of the keys, as a fraction of the image's shorter side
    const FINE = 0.2; // fraction of a step, with Shift
    const MOST_UNDONE = 100;
    const pending = {}; // by prepared folder: its source, and decisions by digest
    let saver = null;
    let changes = null;
    let drag = null;
    let version = ""; // of the shown grid

    function grid() {
        return window.tiSaving.find("#ti_tabs .ti-crop-boxes");
    }

    function cardOf(element) {
        return element.closest("#ti_tabs .ti-card");
    }

    function boxesOf(card) {
        return Array.from(card.querySelectorAll(".ti-crop-box"));
    }

    function near(first, second) {
        return Math.abs(first - second) < 1e-9;
    }

    // Geometry: a rectangle is {x, y, w, h} in fractions of its image.

    function rectOf(box) {
        const [x, y, w, h] = box.dataset.box.split(" ").map(Number);
        return {x: x, y: y, w: w, h: h};
    }

    function sizeOf(card) {
        return {w: Number(card.dataset.width), h: Number(card.dataset.height)};
    }

    function pixels(rect, card) {
        const size = sizeOf(card);
        return {
            w: Math.min(size.w, Math.max(1, Math.round(rect.w * size.w))),
            h: Math.min(size.h, Math.max(1, Math.round(rect.h * size.h))),
        };
    }

    // The training size of a crop of so many pixels; see lib_ti/prep/recipe/result_specs.py.
    function target(crop) {
        const data = grid().dataset;
        const training = {w: Number(data.width), h: Number(data.height)};
        if (data.shape === "keep") {
            const scale = Math.max(training.w / crop.w, training.h / crop.h);
            return {w: Math.max(training.w, Math.round(crop.w * scale)), h: Math.max(training.h, Math.round(crop.h * scale))};
        }
        if (data.shape !== "buckets") {
            return training;
        }
        const shape = Math.log(crop.w / crop.h);
        let best = null;
        data.buckets.split(" ").forEach(function (text) {
            const [w, h] = text.split("x").map(Number);
            const distance = Math.round(1e9 * Math.abs(Math.log(w / h) - shape));
            if (!best || distance < best.distance || (distance === best.distance && w * h > best.w * best.h)) {
                best = {w: w, h: h, distance: distance};
            }
        });
        return best;
    }

    // Width over height of boxes in fractions of the image; 0 where they may have any shape.
    function lockedShape(card) {
        const data = grid().dataset;
        const size = sizeOf(card);
        return data.shape === "crop" ? (Number(data.width) * size.h) / (Number(data.height) * size.w) : 0;
    }

    function within(rect) {
        const w = Math.min(1, rect.w);
        const h = Math.min(1, rect.h);
        return {x: Math.min(1 - w, Math.max(0, rect.x)), y: Math.min(1 - h, Math.max(0, rect.y)), w: w, h: h};
    }

    // The largest rectangle of a shape within another one, around its middle.
    function shaped(rect, shape) {
        const w = Math.min(rect.w, rect.h * shape);
        const h = w / shape;
        return {x: rect.x + (rect.w - w) / 2, y: rect.y + (rect.h - h) / 2, w: w, h: h};
    }

    // Prepare shrinks boxes of any shape to the shape of the nearest bucket.
    function fitted(rect, card) {
        if (grid().dataset.shape !== "buckets") {
            return rect;
        }
        const size = sizeOf(card);
        const bucket = target(pixels(rect, card));
        return shaped(rect, (bucket.w * size.h) / (bucket.h * size.w));
    }

    // A rectangle from a fixed corner to a point, within the image and of the shape.
    function spanned(corner, point, card) {
        const size = sizeOf(card);
        const shape = lockedShape(card);
        const right = point.x >= corner.x;
        const below = point.y >= corner.y;
        const free = {w: right ? 1 - corner.x : corner.x, h: below ? 1 - corner.y : corner.y};
        let w = Math.max(LEAST / size.w, Math.abs(point.x - corner.x));
        let h = Math.max(LEAST / size.h, Math.abs(point.y - corner.y));
        if (shape) {
            // Between the sizes of both directions, so that moving inwards in any direction makes it smaller.
            w = Math.min((w + h * shape) / 2, free.w, free.h * shape);
            h = w / shape;
        } else {
            w = Math.min(w, free.w);
            h = Math.min(h, free.h);
        }
        return within({x: right ? corner.x : corner.x - w, y: below ? corner.y : corner.y - h, w: w, h: h});
    }

    // Display.

    function show(box, rect) {
        const card = cardOf(box);
        const crop = pixels(rect, card);
        const size = target(crop);
        const factor = Math.max(size.w / crop.w, size.h / crop.h);
        box.dataset.box = [rect.x, rect.y, rect.w, rect.h].map((value) => value.toFixed(6)).join(" ");
        box.style.left = `${100 * rect.x}%`;
        box.style.top = `${100 * rect.y}%`;
        box.style.width = `${100 * rect.w}%`;
        box.style.height = `${100 * rect.h}%`;
        box.style.zIndex = String(Math.round(100 * (1 - rect.w * rect.h)));
        box.classList.toggle("ti-upscaled", factor > 1);
        box.setAttribute("aria-label", `Crop box on ${card.dataset.name}, ${crop.w} by ${crop.h} pixels`);
        const note = box.querySelector(".ti-size");
        note.firstChild.textContent = `${crop.w}×${crop.h}`;
        note.lastChild.textContent = factor > 1 ? `×${Number(factor.toPrecision(3))}` : "";
    }

    function createBox(card, rect) {
        const box = document.createElement("div");
        box.className = "ti-crop-box";
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.innerHTML = '<span class="ti-size">&nbsp;<b></b></span>';
        box.querySelector("b").title = "Smaller than the training size: upscaling it trains blur";
        card.querySelector(".ti-crop-image").appendChild(box);
        show(box, rect);
        return box;
    }

    // Handles of the box that has the focus: its corners, and a button to delete it.
    function addHandles(box) {
        if (box.querySelector(".ti-handle")) {
            return;
        }
        ["nw", "ne", "sw", "se"].forEach(function (corner) {
            const handle = document.createElement("i");
            handle.className = "ti-handle";
            handle.dataset.corner = corner;
            box.appendChild(handle);
        });
        const remove = document.createElement("button");
        remove.type = "button";
        remove.className = "ti-delete-box";
        remove.tabIndex = -1;
        remove.title = "Delete this crop box (Delete)";
        remove.textContent = "×";
        box.appendChild(remove);
    }

    function removeHandles(box) {
        if (box.matches(":focus-within, :hover")) {
            return;
        }
        box.querySelectorAll(".ti-handle, .ti-delete-box").forEach((one) => one.remove());
    }

    // Decisions about an image: without boxes, the default ones are used.

    function decided(card) {
        const boxes = boxesOf(card).filter((box) => !box.classList.contains("ti-default"));
        return {
            name: card.dataset.name,
            excluded: card.classList.contains("ti-is-excluded"),
            crop_boxes: boxes.map((box) => box.dataset.box.split(" ").map(Number)),
        };
    }

    function restore(card, decision) {
        boxesOf(card).forEach((box) => box.remove());
        const shown = decision.crop_boxes.length ? decision.crop_boxes : defaults(card);
        shown.forEach(function (numbers) {
            const box = createBox(card, {x: numbers[0], y: numbers[1], w: numbers[2], h: numbers[3]});
            box.classList.toggle("ti-default", !decision.crop_boxes.length);
        });
        exclude(card, decision.excluded);
    }

    function defaults(card) {
        return card.dataset.default.split(";").map((box) => box.split(" ").map(Number));
    }

    function exclude(card, excluded) {
        card.classList.toggle("ti-is-excluded", excluded);
        card.querySelector('[data-do="exclude"]').textContent = excluded ? "Include" : "Exclude";
    }

    function byHand(card) {
        boxesOf(card).forEach((box) => box.classList.remove("ti-default"));
    }

    // Change an image's boxes in a way that can be undone, and send the result. The label says what was done.
    function change(card, label, action) {
        const before = decided(card);
        action();
        keep(card, label, before);
    }

    function keep(card, label, before) {
        if (JSON.stringify(before) === JSON.stringify(decided(card))) {
            return;
        }
        history().add({
            digest: card.dataset.digest, undo: before, redo: decided(card), label: `${label} ${card.dataset.name}`,
        });
        send(card);
    }

    function history() {
        changes = changes || window.tiUndo.history(MOST_UNDONE);
        return changes.of(grid().dataset.folder);
    }

    function send(card) {
        const folder = grid().dataset.folder;
        pending[folder] = pending[folder] || {source: grid().dataset.source, images: {}};
        pending[folder].images[card.dataset.digest] = decided(card);
        saving().change();
        history().report(window.tiSaving.find("#ti_step_crop"));
    }

    // Undo or redo the last change.
    function travel(way) {
        const last = history().take(way);
        const card = last && grid().querySelector(`.ti-card[data-digest="${last.digest}"]`);
        if (card) {
            restore(card, last[way]);
            send(card);
            boxesOf(card)[0].focus();
        }
    }

    function add(card, point) {
        const shape = lockedShape(card) || 1;
        const whole = shaped({x: 0, y: 0, w: 1, h: 1}, shape);
        const share = 0.6;
        const w = whole.w * share;
        const h = whole.h * share;
        const at = point || {x: 0.5, y: 0.5};
        let box = null;
        change(card, "add a crop box to", function () {
            byHand(card);
            box = createBox(card, fitted(within({x: at.x - w / 2, y: at.y - h / 2, w: w, h: h}), card));
        });
        box.focus({preventScroll: true});
    }

    function remove(box) {
        const card = cardOf(box);
        const others = boxesOf(card).filter((one) => one !== box);
        change(card, "delete a crop box of", function () {
            if (others.length) {
                byHand(card);
                box.remove();
            } else {
                restore(card, {crop_boxes: [], excluded: card.classList.contains("ti-is-excluded")});
            }
        });
        boxesOf(card)[0].focus({preventScroll: true});
    }

    function act(what, card, box) {
        const excluded = card.classList.contains("ti-is-excluded");
        if (what === "add") {
            add(card);
        } else if (what === "exclude") {
            change(card, excluded ? "include" : "exclude", () => exclude(card, !excluded));
        } else if (what === "default") {
            change(card, "reset the crop boxes of", () => restore(card, {crop_boxes: [], excluded: excluded}));
            boxesOf(card)[0].focus({preventScroll: true});
        } else if (what === "remove" && box) {
            remove(box);
        }
    }

    // The pointer.

    function pointIn(card, event) {
        const place = card.querySelector(".ti-crop-image").getBoundingClientRect();
        return {x: (event.clientX - place.left) / place.width, y: (event.clientY - place.top) / place.height};
    }

    function press(event) {
        const box = event.target.closest && event.target.closest("#ti_tabs .ti-crop-box");
        if (!box || event.button !== 0 || event.target.closest(".ti-delete-box")) {
            return;
        }
        const card = cardOf(box);
        const rect = rectOf(box);
        const corner = event.target.dataset.corner || "";
        // A finger on a box without focus may still scroll the page.
        if (event.pointerType === "mouse") {
            event.preventDefault();
        }
        box.focus({preventScroll: true});
        box.setPointerCapture(event.pointerId);
        drag = {
            box: box,
            card: card,
            rect: rect,
            start: pointIn(card, event),
            before: decided(card),
            // The corner opposite the dragged one is fixed.
            fixed: corner && {
                x: corner.includes("w") ? rect.x + rect.w : rect.x,
                y: corner.includes("n") ? rect.y + rect.h : rect.y,
            },
        };
    }

    function move(event) {
        if (!drag) {
            return;
        }
        const point = pointIn(drag.card, event);
        const rect = drag.rect;
        if (drag.fixed) {
            show(drag.box, spanned(drag.fixed, point, drag.card));
        } else if (!near(point.x, drag.start.x) || !near(point.y, drag.start.y)) {
            const moved = {x: rect.x + point.x - drag.start.x, y: rect.y + point.y - drag.start.y, w: rect.w, h: rect.h};
            show(drag.box, within(moved));
        } else {
            return;
        }
        byHand(drag.card);
    }

    function drop(event) {
        if (!drag) {
            return;
        }
        const {box, card, before} = drag;
        const moved = JSON.stringify(before) !== JSON.stringify(decided(card));
        drag = null;
        if (!moved) {
            return;
        }
        if (event.type === "pointercancel") {
            restore(card, before);
        } else {
            show(box, fitted(rectOf(box), card));
            keep(card, "move a crop box of", before);
        }
    }

    // The keys.

    function resized(rect, card, amount) {
        const size = sizeOf(card);
        const shape = lockedShape(card) || rect.w / rect.h;
        const least = Math.max(LEAST / size.w, (LEAST / size.h) * shape);
        const w = Math.max(least, Math.min(rect.w + amount, 1, shape));
        const h = w / shape;
        return within({x: rect.x + (rect.w - w) / 2, y: rect.y + (rect.h - h) / 2, w: w, h: h});
    }

    function nudged(key, rect, card, fine) {
        const size = sizeOf(card);
        const step = STEP * (fine ? FINE : 1) * Math.min(size.w, size.h);
        const across = step / size.w;
        const down = step / size.h;
        const moves = {ArrowLeft: [-across, 0], ArrowRight: [across, 0], ArrowUp: [0, -down], ArrowDown: [0, down]};
        if (moves[key]) {
            return within({x: rect.x + moves[key][0], y: rect.y + moves[key][1], w: rect.w, h: rect.h});
        }
        const growth = {"+": 1, "=": 1, "*": 1, "-": -1, "_": -1}[key];
        return growth ? resized(rect, card, growth * across) : null;
    }

    function keyed(event) {
        const box = event.target.closest && event.target.closest("#ti_tabs .ti-crop-box");
        if (!box || event.altKey || event.ctrlKey || event.metaKey) {
            return;
        }
        const card = cardOf(box);
        const rect = nudged(event.key, rectOf(box), card, event.shiftKey);
        const what = {a: "add", d: "default", l: "exclude", Delete: "remove", Backspace: "remove"}[event.key];
        if (!rect && !what) {
            return;
        }
        event.preventDefault();
        if (what) {
            act(what, card, box);
            return;
        }
        change(card, "move a crop box of", function () {
            byHand(card);
            show(box, rect);
        });
    }

    function atBox(action) {
        return function (event) {
            const box = event.target.closest && event.target.closest("#ti_tabs .ti-crop-box");
            if (box) {
                action(box);
            }
        };
    }

    function clicked(event) {
        const button = event.target.closest && event.target.closest("#ti_tabs .ti-crop-boxes button");
        if (!button) {
            return;
        }
        if (button.dataset.act) {
            travel(button.dataset.act);
            return;
        }
        const box = button.closest(".ti-crop-box");
        act(box ? "remove" : button.dataset.do, cardOf(button), box);
    }

    function doubleClicked(event) {
        const image = event.target.closest && event.target.closest("#ti_tabs .ti-crop-image");
        if (image && !event.target.closest(".ti-delete-box")) {
            event.preventDefault();
            add(cardOf(image), pointIn(cardOf(image), event));
        }
    }

    // Messages: decisions about the images of one folder.

    function take() {
        const folder = Object.keys(pending)[0];
        if (!folder) {
            return null;
        }
        const {source, images} = pending[folder];
        delete pending[folder];
        if (Object.keys(pending).length) {
            saving().change();
        }
        return {source: source, folder: folder, images: images};
    }

    function message(data, number) {
        return JSON.stringify({number: number, source: data.source, folder: data.folder, images: data.images});
    }

    function putBack(data) {
        const since = pending[data.folder] ? pending[data.folder].images : {};
        pending[data.folder] = {source: data.source, images: Object.assign({}, data.images, since)};
    }

    // Created when first needed, since the files of this folder load in any order.
    function saving() {
        saver = saver || window.tiSaving.saver({
            field: "ti_crop_changes", answerBox: "ti_crop_message", take: take, message: message, failed: putBack,
            saved: () => {},
        });
        return saver;
    }

    // Another grid has new buttons for the same changes.
    document.addEventListener("ti-changed", function () {
        const now = grid() ? grid().dataset.version : "";
        if (now && now !== version) {
            version = now;
            history().report(window.tiSaving.find("#ti_step_crop"));
        }
    });
    document.addEventListener("pointerdown", press);
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", drop);
    document.addEventListener("pointercancel", drop);
    ["focusin", "pointerover"].forEach((name) => document.addEventListener(name, atBox(addHandles)));
    ["focusout", "pointerout"].forEach((name) => document.addEventListener(name, atBox((box) => {
        window.setTimeout(removeHandles, 0, box);
    })));
    document.addEventListener("keydown", keyed);
    document.addEventListener("click", clicked);
    document.addEventListener("dblclick", doubleClicked);
})();
