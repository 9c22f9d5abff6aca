// Fields for files: drop files or folders into them, or choose files; see the progress, cancel, remove. Without this
// file, folders can be named instead.
(function () {
    "use strict";

    const ZONE = "#ti_tabs .ti-upload";
    const queues = {}; // by the names of the fields; they outlast the elements

    function queueOf(zone) {
        const {name, keeps, mostFiles, mostBytes} = zone.dataset;
        const options = {
            name: name,
            keeps: keeps === "yes",
            multiple: zone.querySelector("input").multiple,
            mostFiles: Number(mostFiles),
            mostBytes: Number(mostBytes),
        };
        const view = {show: () => show(name), progress: () => showProgress(name)};
        queues[name] = queues[name] || new window.tiUploadQueue.UploadQueue(options, view);
        return queues[name];
    }

    function zoneOf(name) {
        return window.tiSaving.find(`${ZONE}[data-name="${name}"]`);
    }

    function create(tag, text, values = {}) {
        const made = document.createElement(tag);
        made.textContent = text;
        return Object.assign(made, values);
    }

    function button(text, act, values = {}) {
        const made = create("button", text, {type: "button", ...values});
        made.dataset.upload = act;
        return made;
    }

    function show(name) {
        const zone = zoneOf(name);
        if (!zone) {
            return;
        }
        const queue = queueOf(zone);
        const focused = zone.contains(document.activeElement) && document.activeElement.dataset.upload;
        zone.classList.add("ti-ready");
        zone.classList.toggle("ti-filled", queue.options.keeps && queue.entries.length > 0);
        if (queue.options.keeps) {
            zone.querySelector(".ti-upload-files").replaceChildren(...queue.entries.map(row));
        }
        zone.querySelector(".ti-upload-notes").replaceChildren(...queue.notes.map((note) => create("p", note)));
        zone.querySelector(".ti-upload-state").replaceChildren(...state(queue));
        showProgress(name);
        if (focused && !zone.contains(document.activeElement)) { // the pressed button is another one now, or gone
            (zone.querySelector(`[data-upload="${focused}"]`) || zone.querySelector("input")).focus();
        }
    }

    function row(entry, index) {
        const made = create("li", "");
        const shown = create("span", entry.file.name, {title: entry.file.name});
        const cross = button("×", "remove", {title: `Remove ${entry.file.name}`, disabled: !entry.path});
        cross.dataset.index = index;
        cross.setAttribute("aria-label", cross.title);
        made.append(shown, create("small", window.tiUploadQueue.size(entry.file.size)), cross);
        return made;
    }

    // What is below the list: the progress, or what can be done.
    function state(queue) {
        const {counted, names, size, total} = window.tiUploadQueue;
        if (queue.upload) {
            const bar = create("progress", "", {max: 1});
            bar.setAttribute("aria-label", "Upload");
            return [create("span", ""), bar, button("Cancel", "cancel")];
        }
        if (queue.problem) {
            const problem = create("span", queue.problem, {className: "ti-upload-problem", role: "alert"});
            return [problem, button("Try again", "again"), button("Cancel", "cancel")];
        }
        if (!queue.entries.length) {
            return queue.used ? [create("span", `${queue.used} uploaded.`)] : [];
        }
        if (queue.options.keeps) {
            const sum = `${counted(queue.entries.length)}, ${size(total(queue.entries))}`;
            return [create("span", sum), button("Remove all", "removeAll")];
        }
        return [create("span", `${names(queue.entries)} uploaded.`)];
    }

    function showProgress(name) {
        const zone = zoneOf(name);
        const bar = zone && zone.querySelector("progress");
        if (!bar) {
            return;
        }
        const {number, of, share} = queueOf(zone).progress;
        const text = `Uploading ${number} of ${window.tiUploadQueue.counted(of)}, ${Math.floor(100 * share)}%`;
        bar.value = share;
        if (bar.previousSibling.textContent !== text) {
            bar.previousSibling.textContent = text;
        }
    }

    // ---- what the user does ----

    function closest(event, selector) {
        return event.target.closest ? event.target.closest(selector) : null;
    }

    function mark(zone) {
        window.tiSaving.findAll(ZONE).forEach((one) => one.classList.toggle("ti-over", one === zone));
    }

    // Files over the tab. Those that miss a field would be opened by the browser in place of the page; and other scripts
    // of the WebUI, which take dropped images for fields of theirs, get none of them.
    function held(event) {
        const files = event.dataTransfer && Array.from(event.dataTransfer.types).includes("Files");
        if (!files || !closest(event, "#ti_tabs")) {
            return false;
        }
        event.preventDefault();
        event.stopPropagation();
        return true;
    }

    function drag(event) {
        if (held(event)) {
            const zone = closest(event, ZONE);
            event.dataTransfer.dropEffect = zone ? "copy" : "none";
            mark(zone);
        }
    }

    async function drop(event) {
        mark(null);
        const zone = held(event) && closest(event, ZONE);
        if (!zone) {
            return;
        }
        const queue = queueOf(zone);
        try {
            queue.add(await window.tiUploads.dropped(event.dataTransfer));
        } catch {
            queue.notes = ["The folder that was dropped cannot be read: drop its images instead."];
            queue.view.show();
        }
    }

    function choose(event) {
        const zone = closest(event, ZONE);
        if (zone && event.target.matches("input[type=file]")) {
            const files = Array.from(event.target.files);
            event.target.value = ""; // the same file can be chosen again
            if (files.length) {
                queueOf(zone).add(files);
            }
        }
    }

    const ACTS = {
        again: (queue) => queue.again(),
        cancel: (queue) => queue.cancel(),
        remove: (queue, pressed) => queue.remove([queue.entries[Number(pressed.dataset.index)]]),
        removeAll: (queue) => queue.remove(queue.entries),
    };

    function click(event) {
        const pressed = closest(event, `${ZONE} [data-upload]`);
        if (pressed) {
            ACTS[pressed.dataset.upload](queueOf(pressed.closest(ZONE)), pressed);
        }
    }

    function follow() {
        Object.values(queues).forEach(function (queue) {
            const box = `#${queue.options.name}_answer [data-saved="${queue.number}"]`;
            const answer = queue.number && window.tiSaving.find(box);
            if (answer) {
                queue.answered(answer.dataset.failed === "yes");
            }
        });
        window.tiSaving.findAll(`${ZONE}:not(.ti-ready)`).forEach((zone) => queueOf(zone).view.show());
    }

    document.addEventListener("ti-changed", follow);
    document.addEventListener("dragenter", drag, true);
    document.addEventListener("dragover", drag, true);
    document.addEventListener("dragleave", (event) => event.relatedTarget || mark(null), true);
    document.addEventListener("drop", drop, true);
    document.addEventListener("change", choose, true);
    document.addEventListener("click", click);
    window.addEventListener("beforeunload", function (event) {
        if (Object.values(queues).some((queue) => queue.upload)) {
            event.preventDefault();
            event.returnValue = "";
        }
    });
})();
