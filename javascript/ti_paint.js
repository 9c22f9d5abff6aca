// The steps Remove and Masks: painting over an image, by pointer and by keys. The layer is sent to the server as a PNG in
// a text field, and comes back the same way when the server has painted. Without this file, masks can be loaded from files.
(function () {
    "use strict";

    const COLOUR = "rgb(230, 30, 60)";
    const DELAY = 250; // milliseconds after a stroke until the layer is sent
    const NOTICED = 60; // milliseconds in which Gradio notices a changed field
    const ZOOM_STEP = 1.25;
    const ORIGINS = {found: "found text", file: "mask file", transparency: "transparency", none: "remove mask"};
    const paints = new WeakMap(); // state of each .ti-paint element
    const histories = {}; // what was painted on each image, by its key: kept while other images are open
    const chosen = {size: 40, tool: "brush"}; // the same for all images
    const views = {}; // zoom and scroll position of each image, by its key
    let painting = null; // the paint of the last stroke
    let waiting = null; // the paint whose mask is to be saved
    let saver = null;
    // Masks are undone across images: the keys of the images in the order of the steps, done and undone.
    const order = {undo: [], redo: []};
    let asked = null; // what to undo or redo once its image is open

    function find(selector) {
        return window.tiSaving.find(selector);
    }

    function within(event, selector) {
        return event.target.closest ? event.target.closest(`#ti_tabs ${selector}`) : null;
    }

    // Set up an image that is new on the page. A stroke on the one in its place ends here.
    function begin(stage) {
        const canvas = stage.querySelector("canvas");
        if (painting && painting.stroke) {
            add(painting, painting.stroke);
            painting.stroke = null;
        }
        const paint = {
            stage: stage,
            canvas: canvas,
            context: canvas.getContext("2d", {willReadFrequently: true}),
            image: stage.querySelector(".ti-image"),
            ring: stage.querySelector(".ti-ring"),
            history: historyOf(stage.dataset.key),
            stroke: null, // the stroke being painted
            place: {x: canvas.width / 2, y: canvas.height / 2}, // position of the brush for the keys
            timer: 0,
            sending: null, // a promise while the layer is being sent
        };
        paints.set(stage, paint);
        stage.classList.add("ti-ready");
        stage.querySelector('[data-paint="size"]').value = chosen.size;
        selectTool(paint, chosen.tool);
        restoreView(stage);
        showNote(stage.dataset.key, stage.dataset.note);
        redraw(paint);
        showHistory(paint);
        return paint;
    }

    // What was painted on an image: a layer from the server below strokes, strokes for Redo, the last text of the
    // field that was read or written, and for Masks what the saved mask is known by.
    function historyOf(key) {
        histories[key] = histories[key] || {base: null, strokes: [], undone: [], given: null, mask: null};
        return histories[key];
    }

    function paintOf(element) {
        const stage = element && element.closest("#ti_tabs .ti-paint");
        return stage ? paints.get(stage) || begin(stage) : null;
    }

    function saves(paint) {
        return paint.stage.dataset.mode === "mask";
    }

    // Restore zoom and scroll position when the image is reloaded, as after Remove.
    function restoreView(stage) {
        const view = views[stage.dataset.key];
        if (view) {
            const slider = stage.querySelector('[data-paint="zoom"]');
            const pane = stage.querySelector(".ti-view");
            slider.value = view.zoom;
            stage.style.setProperty("--zoom", view.zoom);
            pane.scrollTo(view.left, view.top);
        }
    }

    function setZoom(stage, zoom) {
        const view = stage.querySelector(".ti-view");
        const before = Number(stage.style.getPropertyValue("--zoom")) || 1;
        const middle = {x: view.scrollLeft + view.clientWidth / 2, y: view.scrollTop + view.clientHeight / 2};
        stage.style.setProperty("--zoom", zoom);
        view.scrollTo(
            (middle.x * zoom) / before - view.clientWidth / 2, (middle.y * zoom) / before - view.clientHeight / 2
        );
        remember(view);
    }

    function remember(view) {
        const stage = view.closest(".ti-paint");
        const zoom = Number(stage.style.getPropertyValue("--zoom")) || 1;
        views[stage.dataset.key] = {zoom: zoom, left: view.scrollLeft, top: view.scrollTop};
    }

    // Strokes: points in pixels of the canvas, or an action on the whole layer.

    function scale(paint) {
        return paint.canvas.width / paint.canvas.getBoundingClientRect().width;
    }

    function line(paint, stroke, from) {
        const context = paint.context;
        context.globalCompositeOperation = stroke.tool === "eraser" ? "destination-out" : "source-over";
        context.strokeStyle = context.fillStyle = COLOUR;
        context.lineWidth = stroke.width;
        context.lineCap = context.lineJoin = "round";
        context.beginPath();
        if (stroke.points.length === 1) {
            context.arc(stroke.points[0].x, stroke.points[0].y, stroke.width / 2, 0, 2 * Math.PI);
            context.fill();
            return;
        }
        stroke.points.slice(Math.max(0, from - 1)).forEach(function (point, number) {
            if (number) {
                context.lineTo(point.x, point.y);
            } else {
                context.moveTo(point.x, point.y);
            }
        });
        context.stroke();
    }

    function draw(paint, stroke) {
        const {context, canvas} = paint;
        if (stroke.act === "clear") {
            context.clearRect(0, 0, canvas.width, canvas.height);
        } else if (stroke.act === "layer") {
            context.globalCompositeOperation = "copy";
            context.drawImage(stroke.image, 0, 0, canvas.width, canvas.height);
        } else if (stroke.act === "invert") {
            context.globalCompositeOperation = "xor";
            context.fillStyle = COLOUR;
            context.fillRect(0, 0, canvas.width, canvas.height);
        } else {
            line(paint, stroke, 0);
        }
    }

    function redraw(paint) {
        paint.context.globalCompositeOperation = "source-over";
        paint.context.clearRect(0, 0, paint.canvas.width, paint.canvas.height);
        if (paint.history.base) {
            paint.context.drawImage(paint.history.base, 0, 0, paint.canvas.width, paint.canvas.height);
        }
        paint.history.strokes.forEach((stroke) => draw(paint, stroke));
    }

    function start(paint, point) {
        painting = paint;
        paint.stroke = {tool: chosen.tool, width: chosen.size * scale(paint), points: [point]};
        line(paint, paint.stroke, 0);
    }

    function extend(paint, points) {
        const already = paint.stroke.points.length;
        paint.stroke.points.push(...points);
        line(paint, paint.stroke, already);
    }

    function finish(paint) {
        if (paint.stroke) {
            add(paint, paint.stroke);
            paint.stroke = null;
            changed(paint);
        }
    }

    // Add a step to the history, after which nothing can be redone.
    function add(paint, stroke) {
        if (saves(paint)) {
            order.redo.splice(0).forEach((key) => (histories[key].undone = []));
            order.undo.push(paint.stage.dataset.key);
        }
        paint.history.strokes.push(stroke);
        paint.history.undone = [];
        paint.stage.dataset.refills = "no";
    }

    function act(paint, what) {
        if (what === "undo" || what === "redo") {
            goBack(paint, what);
        } else {
            add(paint, {act: what});
            draw(paint, {act: what});
            changed(paint);
        }
    }

    // Undo or redo a stroke, in Masks the last one of all images; or where there is none, a fill.
    function goBack(paint, way) {
        const {strokes, undone} = paint.history;
        const [from, to] = way === "undo" ? [strokes, undone] : [undone, strokes];
        const key = keyToGoBack(paint, way);
        if (key !== paint.stage.dataset.key) {
            asked = {key: key, way: way};
            window.tiSaving.request("ti_masks_goto", thumbOf(key).dataset.name);
        } else if (from.length) {
            if (saves(paint)) {
                order[way === "undo" ? "redo" : "undo"].push(order[way].pop());
            }
            to.push(from.pop());
            redraw(paint);
            changed(paint);
        } else if (fillToGoBack(paint, way)) {
            find(`#ti_remove_${way}`).click();
        }
    }

    // The key of the image that is undone or redone next: in Remove the open one. Images that are no longer there are
    // passed over.
    function keyToGoBack(paint, way) {
        const steps = saves(paint) ? order[way] : [];
        while (steps.length && steps[steps.length - 1] !== paint.stage.dataset.key && !thumbOf(steps[steps.length - 1])) {
            forget(steps[steps.length - 1]);
        }
        return steps.length ? steps[steps.length - 1] : paint.stage.dataset.key;
    }

    function thumbOf(key) {
        return find(`#ti_masks_row .ti-thumb[data-key="${key}"]`);
    }

    // Forget the steps of an image whose mask is another one by now.
    function forget(key) {
        order.undo = order.undo.filter((one) => one !== key);
        order.redo = order.redo.filter((one) => one !== key);
        Object.assign(historyOf(key), {strokes: [], undone: []});
    }

    // Undo or redo what was asked for before this image was open.
    function goBackIfAsked(paint) {
        if (asked && asked.key === paint.stage.dataset.key) {
            const way = asked.way;
            asked = null;
            goBack(paint, way);
        }
    }

    function fillToGoBack(paint, way) {
        const {strokes, undone} = paint.history;
        const data = paint.stage.dataset;
        return way === "undo" ? !strokes.length && data.fills === "yes" : !undone.length && data.refills === "yes";
    }

    // Write on the buttons what they undo and redo, and on which image where it is another one.
    function showHistory(paint) {
        const can = {};
        ["undo", "redo"].forEach(function (way) {
            const key = keyToGoBack(paint, way);
            const steps = historyOf(key)[way === "undo" ? "strokes" : "undone"];
            const elsewhere = key === paint.stage.dataset.key ? "" : ` on ${thumbOf(key).dataset.name}`;
            const fill = fillToGoBack(paint, way) ? "fill" : "";
            const what = steps.length ? nameOf(paint, steps[steps.length - 1]) + elsewhere : fill;
            const button = paint.stage.querySelector(`[data-act="${way}"]`);
            const verb = way === "undo" ? "Undo" : "Redo";
            button.textContent = what ? `${verb}: ${what}` : verb;
            button.disabled = !what;
            can[way] = Boolean(what);
        });
        window.tiUndo.report(paint.stage, can.undo, can.redo);
    }

    // The words for a step, from the buttons that make it.
    function nameOf(paint, stroke) {
        if (stroke.name) {
            return stroke.name;
        }
        if (stroke.act) {
            return paint.stage.querySelector(`[data-act="${stroke.act}"]`).textContent.toLowerCase();
        }
        return stroke.tool === "eraser" && !saves(paint) ? "eraser" : "stroke";
    }

    function selectTool(paint, tool) {
        chosen.tool = tool;
        paint.stage.querySelectorAll("[data-tool]").forEach(function (button) {
            button.setAttribute("aria-pressed", button.dataset.tool === tool ? "true" : "false");
        });
    }

    // Sending the layer: for Remove the field is filled; for Masks the server also saves it and answers.

    function changed(paint) {
        showHistory(paint);
        if (saves(paint)) {
            waiting = paint;
            saving().change();
        } else {
            window.clearTimeout(paint.timer);
            paint.timer = window.setTimeout(send, DELAY, paint);
        }
    }

    async function layer(paint, number) {
        paint.history.strokes.forEach((stroke) => (stroke.sent = true));
        const blob = await new Promise((done) => paint.canvas.toBlob(done, "image/png"));
        return new Promise(function (done) {
            const reader = new FileReader();
            reader.onload = function () {
                paint.history.given = `${paint.stage.dataset.key} ${number} ${reader.result}`;
                done(paint.history.given);
            };
            reader.readAsDataURL(blob);
        });
    }

    async function send(paint) {
        window.clearTimeout(paint.timer);
        paint.timer = 0;
        paint.sending = layer(paint, Date.now());
        const text = await paint.sending;
        paint.sending = null;
        if (paint.stage.isConnected) {
            window.tiSaving.write(paint.stage.dataset.field, text);
        }
    }

    function saving() {
        saver = saver || window.tiSaving.saver({
            field: "ti_masks_mask",
            answerBox: "ti_masks_message",
            take: function () {
                const paint = waiting;
                waiting = null;
                return paint;
            },
            message: layer,
            failed: function (paint) {
                waiting = waiting || paint;
            },
            saved: function (answer) {
                historyOf(answer.dataset.key).mask = answer.dataset.mask;
                showNote(answer.dataset.key, answer.dataset.note);
            },
        });
        return saver;
    }

    // Load a layer that the server has put into the field. An empty field is that of an image just opened: what was
    // painted on it before is sent again.
    function receive(paint) {
        const history = paint.history;
        const text = window.tiSaving.read(paint.stage.dataset.field);
        const [key, origin, data] = text.split(" ");
        if (text && key !== paint.stage.dataset.key) {
            return;
        }
        const same = text === history.given;
        history.given = text;
        if (same || isUnchanged(paint, origin)) {
            goBackIfAsked(paint);
            return;
        }
        history.mask = paint.stage.dataset.mask;
        if (!text) {
            if (history.base || history.strokes.length) {
                changed(paint);
            }
        } else if (data) {
            const image = new Image();
            image.onload = function () {
                if (history.given === text) {
                    take(paint, origin, image);
                }
            };
            image.src = data;
        } else {
            take(paint, origin, null);
        }
    }

    // Whether the mask that the server shows is the one that this page has saved: then its steps can still be undone.
    function isUnchanged(paint, origin) {
        return saves(paint) && origin === "shown" && paint.history.mask === paint.stage.dataset.mask;
    }

    // A layer of the server's is a step that can be undone, or what is painted from now on, with the strokes that it
    // does not know yet.
    function take(paint, origin, image) {
        if (!ORIGINS[origin]) {
            const strokes = paint.history.strokes.filter((stroke) => !stroke.sent);
            if (saves(paint)) {
                forget(paint.stage.dataset.key);
                order.undo.push(...strokes.map(() => paint.stage.dataset.key));
            }
            Object.assign(paint.history, {base: image, strokes: strokes, undone: []});
            if (strokes.length) {
                changed(paint);
            }
        } else if (image) {
            add(paint, {act: "layer", image: image, name: ORIGINS[origin]});
        } else {
            add(paint, {act: "clear", name: ORIGINS[origin]});
        }
        redraw(paint);
        showHistory(paint);
    }

    // Gradio's buttons use the painted layer: delay them until it has been sent.
    async function hold(event) {
        const button = within(event, ":is(#ti_step_remove, #ti_step_masks) button");
        const stage = button && button.closest("#ti_step_remove, #ti_step_masks").querySelector(".ti-paint");
        const paint = stage && paints.get(stage);
        if (!paint || button.closest(".ti-paint")) {
            return;
        }
        if (saves(paint) ? saving().busy() : paint.timer || paint.sending) {
            event.stopImmediatePropagation();
            event.preventDefault();
            await (saves(paint) ? saving().flush() : paint.sending || send(paint));
            window.setTimeout(() => button.click(), NOTICED);
        }
    }

    // The row of thumbnails.

    function choose(event) {
        const thumb = within(event, ".ti-thumb");
        if (thumb) {
            window.tiSaving.request(thumb.closest(".ti-row").dataset.goto, thumb.dataset.name);
        }
    }

    // Highlight the selected image in the row, which may have loaded after the image.
    function select(stage) {
        const row = stage.closest("[id^=ti_step_]").querySelector(".ti-row");
        const key = stage.dataset.key;
        if (!row || row.dataset.chosen === key) {
            return;
        }
        row.dataset.chosen = key;
        row.querySelectorAll(".ti-thumb").forEach(function (thumb) {
            const chosen = thumb.dataset.key === key;
            thumb.setAttribute("aria-selected", chosen ? "true" : "false");
            thumb.tabIndex = chosen ? 0 : -1;
            if (chosen) {
                const far = thumb.offsetLeft - row.offsetLeft - (row.clientWidth - thumb.offsetWidth) / 2;
                row.scrollTo({left: far});
            }
        });
        showNote(key, stage.dataset.note);
    }

    // Show the note on an image: on its thumbnail and above the large image.
    function showNote(key, note) {
        const places = [`.ti-thumb[data-key="${key}"] b`, `.ti-paint[data-key="${key}"] .ti-note`];
        places.forEach(function (place) {
            window.tiSaving.findAll(`#ti_tabs ${place}`).forEach(function (element) {
                element.textContent = note;
            });
        });
    }

    function walk(event) {
        const thumb = within(event, ".ti-thumb");
        const next = thumb && {ArrowLeft: thumb.previousElementSibling, ArrowRight: thumb.nextElementSibling}[event.key];
        if (next) {
            event.preventDefault();
            next.focus();
        }
    }

    // The pointer.

    function pointOf(paint, event) {
        const place = paint.canvas.getBoundingClientRect();
        return {
            x: ((event.clientX - place.left) * paint.canvas.width) / place.width,
            y: ((event.clientY - place.top) * paint.canvas.height) / place.height,
        };
    }

    function ring(paint, point) {
        const size = chosen.size;
        paint.place = point;
        paint.ring.style.width = paint.ring.style.height = `${size}px`;
        paint.ring.style.left = `${point.x / scale(paint) - size / 2}px`;
        paint.ring.style.top = `${point.y / scale(paint) - size / 2}px`;
    }

    function press(event) {
        const canvas = within(event, ".ti-paint canvas");
        if (!canvas || event.button !== 0) {
            return;
        }
        const paint = paintOf(canvas);
        canvas.setPointerCapture(event.pointerId);
        start(paint, pointOf(paint, event));
        ring(paint, pointOf(paint, event));
    }

    function move(event) {
        const paint = paintOf(within(event, ".ti-paint canvas"));
        if (!paint) {
            return;
        }
        ring(paint, pointOf(paint, event));
        if (paint.stroke) {
            const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
            extend(paint, (events.length ? events : [event]).map((one) => pointOf(paint, one)));
        }
    }

    function lift(event) {
        const paint = paintOf(within(event, ".ti-paint canvas"));
        if (paint) {
            finish(paint);
        }
    }

    // The keys.

    function keyPressed(event) {
        walk(event);
        const alt = event.altKey || event.ctrlKey || event.metaKey;
        const paint = (!alt || event.getModifierState("AltGraph")) && target(event);
        if (paint && (keyOfStep(paint, event) || (event.target === paint.canvas && keyOfCanvas(paint, event)))) {
            event.preventDefault();
        }
    }

    // The open image of the step that a key is meant for: the one that has the focus, or where nothing has it, the
    // visible one. None while a field has the focus, or a dialog is open.
    function target(event) {
        if (event.target.closest && event.target.closest("input:not([type=range]), textarea, select, dialog")) {
            return null;
        }
        const step = within(event, "[id^=ti_step_]");
        const stages = window.tiSaving.findAll("#ti_tabs .ti-paint").filter((one) => one.offsetParent !== null);
        const stage = stages.find((one) => event.target === document.body || (step && step.contains(one)));
        return document.querySelector("dialog[open]") ? null : paintOf(stage);
    }

    // Handle a key that counts in the whole step; returns whether it has a function.
    function keyOfStep(paint, event) {
        const tool = {b: "brush", e: "eraser"}[event.key.toLowerCase()];
        const growth = {"[": 1 / 1.25, "]": 1.25}[event.key];
        const zoom = {"+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP}[event.key];
        const button = {p: "previous", n: "next"}[event.key.toLowerCase()];
        if (tool) {
            selectTool(paint, tool);
        } else if (growth) {
            resize(paint, chosen.size * growth);
        } else if (zoom) {
            const slider = paint.stage.querySelector('[data-paint="zoom"]');
            slider.value = Number(slider.value) * zoom;
            setZoom(paint.stage, Number(slider.value));
        } else if (button) {
            pressButton(paint, button);
        }
        return Boolean(tool || growth || zoom || button);
    }

    // Handle a key of the focused image.
    function keyOfCanvas(paint, event) {
        const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
        const button = {PageUp: "previous", PageDown: "next"}[event.key];
        if (step) {
            steer(paint, step, event.shiftKey);
        } else if (event.key === " ") {
            space(paint, event.repeat);
        } else if (button) {
            pressButton(paint, button);
        }
        return Boolean(step || event.key === " " || button);
    }

    function pressButton(paint, name) {
        find(`#ti_${saves(paint) ? "masks" : "remove"}_${name}`).click();
    }

    // Space starts a stroke, arrow keys extend it while Space is held, and releasing Space ends it.
    function space(paint, repeated) {
        if (!repeated && !paint.stroke) {
            start(paint, paint.place);
            ring(paint, paint.place);
        }
    }

    function steer(paint, step, fine) {
        const far = Math.max(1, chosen.size * scale(paint) * (fine ? 0.1 : 0.5));
        const point = {
            x: Math.min(paint.canvas.width, Math.max(0, paint.place.x + step[0] * far)),
            y: Math.min(paint.canvas.height, Math.max(0, paint.place.y + step[1] * far)),
        };
        if (paint.stroke) {
            extend(paint, [point]);
        }
        ring(paint, point);
    }

    function released(event) {
        const paint = event.type === "keyup" && event.key !== " " ? null : paintOf(within(event, ".ti-paint canvas"));
        if (paint) {
            finish(paint);
        }
    }

    // Tools.

    function resize(paint, size) {
        const slider = paint.stage.querySelector('[data-paint="size"]');
        slider.value = size;
        chosen.size = Number(slider.value);
        ring(paint, paint.place);
    }

    // A click on one of the compared fills.
    function chooseFill(event) {
        const fill = within(event, "button.ti-fill");
        if (fill) {
            // With the time, since the same text in the field would not trigger an event.
            const chosen = [fill.closest(".ti-fills").dataset.key, fill.dataset.method, Date.now()];
            window.tiSaving.write("ti_remove_choose", chosen.join(" "));
        }
    }

    function clicked(event) {
        choose(event);
        chooseFill(event);
        const button = within(event, ".ti-paint button");
        const paint = paintOf(button);
        if (paint && button.dataset.tool) {
            selectTool(paint, button.dataset.tool);
        } else if (paint && button.dataset.act) {
            act(paint, button.dataset.act);
        }
    }

    function slid(event) {
        const slider = within(event, ".ti-paint input[data-paint]");
        const paint = paintOf(slider);
        if (!paint) {
            return;
        }
        if (slider.dataset.paint === "size") {
            resize(paint, slider.value);
        } else if (slider.dataset.paint === "zoom") {
            setZoom(paint.stage, Number(slider.value));
        } else {
            paint.stage.style.setProperty("--before", slider.value);
        }
    }

    function scrolled(event) {
        if (event.target.matches && event.target.matches("#ti_tabs .ti-view")) {
            remember(event.target);
        }
    }

    document.addEventListener("ti-changed", function () {
        window.tiSaving.findAll("#ti_tabs .ti-paint").forEach(function (stage) {
            receive(paintOf(stage));
            select(stage);
        });
    });
    document.addEventListener("scroll", scrolled, true);
    document.addEventListener("click", hold, true);
    document.addEventListener("click", clicked);
    document.addEventListener("input", slid);
    document.addEventListener("keydown", keyPressed);
    document.addEventListener("keyup", released);
    document.addEventListener("focusout", released);
    document.addEventListener("pointerdown", press);
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", lift);
    document.addEventListener("pointercancel", lift);
})();
