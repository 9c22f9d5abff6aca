// The step Cut: frames on the pictures are moved, resized, added and removed, by pointer and by keys. What is decided
// is in the page's own elements; each change is sent to the server. As text it works without this file.
(function () {
    "use strict";

    const LEAST = 8; // pixels of the picture that a frame's side has at the least
    const STEP = 0.02; // of the picture's shorter side, for the keys
    const FINE = 0.2; // of a step, with Shift
    const MOST_UNDONE = 100;
    const pending = {}; // by prepared folder: its source, and decisions by digest
    let saver = null;
    let changes = null;
    let drag = null;

    function grid() {
        return window.tiSaving.find("#ti_tabs .ti-frames");
    }

    function cardOf(element) {
        return element.closest("#ti_tabs .ti-card");
    }

    function framesOf(card) {
        return Array.from(card.querySelectorAll(".ti-frame"));
    }

    function near(first, second) {
        return Math.abs(first - second) < 1e-9;
    }

    // Geometry: a box is {x, y, w, h} in shares of its picture.

    function boxOf(frame) {
        const [x, y, w, h] = frame.dataset.frame.split(" ").map(Number);
        return {x: x, y: y, w: w, h: h};
    }

    function sizeOf(card) {
        return {w: Number(card.dataset.width), h: Number(card.dataset.height)};
    }

    function pixels(box, card) {
        const size = sizeOf(card);
        return {
            w: Math.min(size.w, Math.max(1, Math.round(box.w * size.w))),
            h: Math.min(size.h, Math.max(1, Math.round(box.h * size.h))),
        };
    }

    // The size that a part of so many pixels is trained at; see lib_ti/prep/wanted.py.
    function target(cut) {
        const data = grid().dataset;
        const training = {w: Number(data.width), h: Number(data.height)};
        if (data.shape === "keep") {
            const scale = Math.max(training.w / cut.w, training.h / cut.h);
            return {w: Math.max(training.w, Math.round(cut.w * scale)), h: Math.max(training.h, Math.round(cut.h * scale))};
        }
        if (data.shape !== "buckets") {
            return training;
        }
        const shape = Math.log(cut.w / cut.h);
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

    // Width over height of frames in shares of the picture; 0 where they may have any shape.
    function lockedShape(card) {
        const data = grid().dataset;
        const size = sizeOf(card);
        return data.shape === "crop" ? (Number(data.width) * size.h) / (Number(data.height) * size.w) : 0;
    }

    function within(box) {
        const w = Math.min(1, box.w);
        const h = Math.min(1, box.h);
        return {x: Math.min(1 - w, Math.max(0, box.x)), y: Math.min(1 - h, Math.max(0, box.y)), w: w, h: h};
    }

    // The largest box of a shape within another one, around its middle.
    function shaped(box, shape) {
        const w = Math.min(box.w, box.h * shape);
        const h = w / shape;
        return {x: box.x + (box.w - w) / 2, y: box.y + (box.h - h) / 2, w: w, h: h};
    }

    // Of frames of any shape Prepare uses what has the shape of a bucket.
    function settled(box, card) {
        if (grid().dataset.shape !== "buckets") {
            return box;
        }
        const size = sizeOf(card);
        const bucket = target(pixels(box, card));
        return shaped(box, (bucket.w * size.h) / (bucket.h * size.w));
    }

    // A box from a corner that stays to a point, in the picture and of the shape.
    function spanned(corner, point, card) {
        const size = sizeOf(card);
        const shape = lockedShape(card);
        const right = point.x >= corner.x;
        const below = point.y >= corner.y;
        const room = {w: right ? 1 - corner.x : corner.x, h: below ? 1 - corner.y : corner.y};
        let w = Math.max(LEAST / size.w, Math.abs(point.x - corner.x));
        let h = Math.max(LEAST / size.h, Math.abs(point.y - corner.y));
        if (shape) {
            // In between what is asked for in each direction, so that every way inwards makes it smaller.
            w = Math.min((w + h * shape) / 2, room.w, room.h * shape);
            h = w / shape;
        } else {
            w = Math.min(w, room.w);
            h = Math.min(h, room.h);
        }
        return within({x: right ? corner.x : corner.x - w, y: below ? corner.y : corner.y - h, w: w, h: h});
    }

    // What is shown.

    function show(frame, box) {
        const card = cardOf(frame);
        const cut = pixels(box, card);
        const size = target(cut);
        const factor = Math.max(size.w / cut.w, size.h / cut.h);
        frame.dataset.frame = [box.x, box.y, box.w, box.h].map((share) => share.toFixed(6)).join(" ");
        frame.style.left = `${100 * box.x}%`;
        frame.style.top = `${100 * box.y}%`;
        frame.style.width = `${100 * box.w}%`;
        frame.style.height = `${100 * box.h}%`;
        frame.style.zIndex = String(Math.round(100 * (1 - box.w * box.h)));
        frame.classList.toggle("ti-small", factor > 1);
        frame.setAttribute("aria-label", `Frame on ${card.dataset.name}, ${cut.w} by ${cut.h} pixels`);
        const note = frame.querySelector(".ti-size");
        note.firstChild.textContent = `${cut.w}×${cut.h}`;
        note.lastChild.textContent = factor > 1 ? `×${Number(factor.toPrecision(3))}` : "";
    }

    function made(card, box) {
        const frame = document.createElement("div");
        frame.className = "ti-frame";
        frame.tabIndex = 0;
        frame.setAttribute("role", "group");
        frame.innerHTML = '<span class="ti-size">&nbsp;<b></b></span>';
        frame.querySelector("b").title = "Smaller than the training size: it is enlarged, which trains blur";
        card.querySelector(".ti-cut").appendChild(frame);
        show(frame, box);
        return frame;
    }

    // Handles of the one frame that has the focus: corners, and what removes it.
    function grip(frame) {
        if (frame.querySelector(".ti-handle")) {
            return;
        }
        ["nw", "ne", "sw", "se"].forEach(function (corner) {
            const handle = document.createElement("i");
            handle.className = "ti-handle";
            handle.dataset.corner = corner;
            frame.appendChild(handle);
        });
        const remove = document.createElement("button");
        remove.type = "button";
        remove.className = "ti-remove";
        remove.tabIndex = -1;
        remove.title = "Remove this frame (Delete)";
        remove.textContent = "×";
        frame.appendChild(remove);
    }

    function release(frame) {
        if (frame.matches(":focus-within, :hover")) {
            return;
        }
        frame.querySelectorAll(".ti-handle, .ti-remove").forEach((one) => one.remove());
    }

    // What is decided about a picture: no frames stands for the default ones.

    function decided(card) {
        const frames = framesOf(card).filter((frame) => !frame.classList.contains("ti-default"));
        return {
            name: card.dataset.name,
            left_out: card.classList.contains("ti-left-out"),
            frames: frames.map((frame) => frame.dataset.frame.split(" ").map(Number)),
        };
    }

    function restore(card, decision) {
        framesOf(card).forEach((frame) => frame.remove());
        const shown = decision.frames.length ? decision.frames : defaults(card);
        shown.forEach(function (numbers) {
            const frame = made(card, {x: numbers[0], y: numbers[1], w: numbers[2], h: numbers[3]});
            frame.classList.toggle("ti-default", !decision.frames.length);
        });
        leave(card, decision.left_out);
    }

    function defaults(card) {
        return card.dataset.default.split(";").map((frame) => frame.split(" ").map(Number));
    }

    function leave(card, out) {
        card.classList.toggle("ti-left-out", out);
        card.querySelector('[data-do="leave"]').textContent = out ? "Include" : "Exclude";
    }

    function byHand(card) {
        framesOf(card).forEach((frame) => frame.classList.remove("ti-default"));
    }

    // Do something to a picture's frames, so that it can be undone, and send what came of it.
    function change(card, action) {
        const before = decided(card);
        action();
        keep(card, before);
    }

    function keep(card, before) {
        if (JSON.stringify(before) === JSON.stringify(decided(card))) {
            return;
        }
        past().add({digest: card.dataset.digest, undo: before, redo: decided(card)});
        send(card);
    }

    function past() {
        changes = changes || window.tiUndo.history(MOST_UNDONE);
        return changes.of(grid().dataset.folder);
    }

    function send(card) {
        const folder = grid().dataset.folder;
        pending[folder] = pending[folder] || {source: grid().dataset.source, pictures: {}};
        pending[folder].pictures[card.dataset.digest] = decided(card);
        saving().change();
        past().tell(window.tiSaving.find("#ti_step_cut"));
    }

    // Take the last change back, or make it again: "undo" or "redo".
    function travel(way) {
        const last = past().take(way);
        const card = last && grid().querySelector(`.ti-card[data-digest="${last.digest}"]`);
        if (card) {
            restore(card, last[way]);
            send(card);
            framesOf(card)[0].focus();
        }
    }

    function add(card, point) {
        const shape = lockedShape(card) || 1;
        const whole = shaped({x: 0, y: 0, w: 1, h: 1}, shape);
        const share = 0.6;
        const w = whole.w * share;
        const h = whole.h * share;
        const at = point || {x: 0.5, y: 0.5};
        let frame = null;
        change(card, function () {
            byHand(card);
            frame = made(card, settled(within({x: at.x - w / 2, y: at.y - h / 2, w: w, h: h}), card));
        });
        frame.focus({preventScroll: true});
    }

    function remove(frame) {
        const card = cardOf(frame);
        const others = framesOf(card).filter((one) => one !== frame);
        change(card, function () {
            if (others.length) {
                byHand(card);
                frame.remove();
            } else {
                restore(card, {frames: [], left_out: card.classList.contains("ti-left-out")});
            }
        });
        framesOf(card)[0].focus({preventScroll: true});
    }

    function act(what, card, frame) {
        const out = card.classList.contains("ti-left-out");
        if (what === "add") {
            add(card);
        } else if (what === "leave") {
            change(card, () => leave(card, !out));
        } else if (what === "default") {
            change(card, () => restore(card, {frames: [], left_out: out}));
            framesOf(card)[0].focus({preventScroll: true});
        } else if (what === "remove" && frame) {
            remove(frame);
        }
    }

    // The pointer.

    function pointIn(card, event) {
        const place = card.querySelector(".ti-cut").getBoundingClientRect();
        return {x: (event.clientX - place.left) / place.width, y: (event.clientY - place.top) / place.height};
    }

    function press(event) {
        const frame = event.target.closest && event.target.closest("#ti_tabs .ti-frame");
        if (!frame || event.button !== 0 || event.target.closest(".ti-remove")) {
            return;
        }
        const card = cardOf(frame);
        const box = boxOf(frame);
        const corner = event.target.dataset.corner || "";
        // The page may still be scrolled by a finger on a frame that has no focus yet.
        if (event.pointerType === "mouse") {
            event.preventDefault();
        }
        frame.focus({preventScroll: true});
        frame.setPointerCapture(event.pointerId);
        drag = {
            frame: frame,
            card: card,
            box: box,
            start: pointIn(card, event),
            before: decided(card),
            // The corner opposite to the one that is dragged stays.
            stays: corner && {
                x: corner.includes("w") ? box.x + box.w : box.x,
                y: corner.includes("n") ? box.y + box.h : box.y,
            },
        };
    }

    function move(event) {
        if (!drag) {
            return;
        }
        const point = pointIn(drag.card, event);
        const box = drag.box;
        if (drag.stays) {
            show(drag.frame, spanned(drag.stays, point, drag.card));
        } else if (!near(point.x, drag.start.x) || !near(point.y, drag.start.y)) {
            const moved = {x: box.x + point.x - drag.start.x, y: box.y + point.y - drag.start.y, w: box.w, h: box.h};
            show(drag.frame, within(moved));
        } else {
            return;
        }
        byHand(drag.card);
    }

    function drop(event) {
        if (!drag) {
            return;
        }
        const {frame, card, before} = drag;
        const moved = JSON.stringify(before) !== JSON.stringify(decided(card));
        drag = null;
        if (!moved) {
            return;
        }
        if (event.type === "pointercancel") {
            restore(card, before);
        } else {
            show(frame, settled(boxOf(frame), card));
            keep(card, before);
        }
    }

    // The keys.

    function resized(box, card, amount) {
        const size = sizeOf(card);
        const shape = lockedShape(card) || box.w / box.h;
        const least = Math.max(LEAST / size.w, (LEAST / size.h) * shape);
        const w = Math.max(least, Math.min(box.w + amount, 1, shape));
        const h = w / shape;
        return within({x: box.x + (box.w - w) / 2, y: box.y + (box.h - h) / 2, w: w, h: h});
    }

    function nudged(key, box, card, fine) {
        const size = sizeOf(card);
        const step = STEP * (fine ? FINE : 1) * Math.min(size.w, size.h);
        const across = step / size.w;
        const down = step / size.h;
        const moves = {ArrowLeft: [-across, 0], ArrowRight: [across, 0], ArrowUp: [0, -down], ArrowDown: [0, down]};
        if (moves[key]) {
            return within({x: box.x + moves[key][0], y: box.y + moves[key][1], w: box.w, h: box.h});
        }
        const growth = {"+": 1, "=": 1, "*": 1, "-": -1, "_": -1}[key];
        return growth ? resized(box, card, growth * across) : null;
    }

    function keyed(event) {
        const frame = event.target.closest && event.target.closest("#ti_tabs .ti-frame");
        if (!frame || event.altKey || event.ctrlKey || event.metaKey) {
            return;
        }
        const card = cardOf(frame);
        const box = nudged(event.key, boxOf(frame), card, event.shiftKey);
        const what = {a: "add", d: "default", l: "leave", Delete: "remove", Backspace: "remove"}[event.key];
        if (!box && !what) {
            return;
        }
        event.preventDefault();
        if (what) {
            act(what, card, frame);
            return;
        }
        change(card, function () {
            byHand(card);
            show(frame, box);
        });
    }

    function atFrame(action) {
        return function (event) {
            const frame = event.target.closest && event.target.closest("#ti_tabs .ti-frame");
            if (frame) {
                action(frame);
            }
        };
    }

    function clicked(event) {
        const button = event.target.closest && event.target.closest("#ti_tabs .ti-frames button");
        if (!button) {
            return;
        }
        if (button.dataset.act) {
            travel(button.dataset.act);
            return;
        }
        const frame = button.closest(".ti-frame");
        act(frame ? "remove" : button.dataset.do, cardOf(button), frame);
    }

    function doubled(event) {
        const picture = event.target.closest && event.target.closest("#ti_tabs .ti-cut");
        if (picture && !event.target.closest(".ti-remove")) {
            event.preventDefault();
            add(cardOf(picture), pointIn(cardOf(picture), event));
        }
    }

    // Messages: what is decided about the pictures of one folder.

    function take() {
        const folder = Object.keys(pending)[0];
        if (!folder) {
            return null;
        }
        const {source, pictures} = pending[folder];
        delete pending[folder];
        if (Object.keys(pending).length) {
            saving().change();
        }
        return {source: source, folder: folder, pictures: pictures};
    }

    function message(data, number) {
        return JSON.stringify({number: number, source: data.source, folder: data.folder, pictures: data.pictures});
    }

    function back(data) {
        const since = pending[data.folder] ? pending[data.folder].pictures : {};
        pending[data.folder] = {source: data.source, pictures: Object.assign({}, data.pictures, since)};
    }

    // When it is first needed, since the files of this folder come in any order.
    function saving() {
        saver = saver || window.tiSaving.saver({
            field: "ti_cut_changes", said: "ti_cut_said", take: take, message: message, back: back, kept: () => {},
        });
        return saver;
    }

    document.addEventListener("pointerdown", press);
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", drop);
    document.addEventListener("pointercancel", drop);
    ["focusin", "pointerover"].forEach((name) => document.addEventListener(name, atFrame(grip)));
    ["focusout", "pointerout"].forEach((name) => document.addEventListener(name, atFrame((frame) => {
        window.setTimeout(release, 0, frame);
    })));
    document.addEventListener("keydown", keyed);
    document.addEventListener("click", clicked);
    document.addEventListener("dblclick", doubled);
})();
