// Uploads of files to Gradio's own route, with progress. Gradio's File component forgets an upload when any other event
// of the page ends meanwhile.
(function () {
    "use strict";

    // One request has as many files as these allow, and at least one: what is lost by a failure is little.
    const MOST_FILES = 20;
    const MOST_BYTES = 32e6;

    // Why an upload failed, as a sentence. `tooLarge`: the server does not accept requests of this size; `file`: the
    // file that is to blame, if it is one.
    class UploadProblem extends Error {
        constructor(sentence, about = {}) {
            super(sentence);
            this.tooLarge = Boolean(about.tooLarge);
            this.file = about.file || null;
        }
    }

    // The route at the page's own address: it is right behind a proxy, too, and below --subpath.
    function address() {
        const config = window.gradio_config || {};
        const page = new URL(config.root || ".", window.location.href).pathname;
        return `${window.location.origin}${page.replace(/\/+$/, "")}/upload`;
    }

    function batch(files) {
        let bytes = 0;
        const end = files.findIndex(function (file, index) {
            bytes += file.size;
            return index > 0 && (index >= MOST_FILES || bytes > MOST_BYTES);
        });
        return end < 0 ? files : files.slice(0, end);
    }

    // Upload files in one request. Returns {abort, done}: `done` is a promise of their paths on the server, in the same
    // order, or of an UploadProblem; `progress(share)` is called meanwhile.
    function send(files, progress) {
        const form = new FormData();
        // Gradio removes the accents of names in which they are letters of their own, as macOS has them.
        files.forEach((file) => form.append("files", file, file.name.normalize("NFC")));
        const request = new XMLHttpRequest();
        request.open("POST", address());
        request.upload.addEventListener("progress", function (event) {
            progress(event.total ? event.loaded / event.total : 0);
        });
        const done = new Promise(function (resolve, reject) {
            request.addEventListener("load", function () {
                const paths = request.status === 200 ? parsed(request.responseText, files.length) : null;
                paths ? resolve(paths) : reject(refused(request.status));
            });
            request.addEventListener("error", () => unreachable(files).then(reject));
        });
        request.send(form);
        return {abort: () => request.abort(), done: done};
    }

    function parsed(text, number) {
        try {
            const paths = JSON.parse(text);
            return Array.isArray(paths) && paths.length === number ? paths : null;
        } catch {
            return null;
        }
    }

    function refused(status) {
        if (status === 413) {
            return new UploadProblem("the server does not accept files of this size.", {tooLarge: true});
        }
        if (status === 401 || status === 403) {
            return new UploadProblem("The server wants you to sign in again: reload the page.");
        }
        return new UploadProblem(`The server did not accept the upload (status ${status}).`);
    }

    // The browser reports a file that was moved or deleted in the same way as a server that does not answer.
    async function unreachable(files) {
        for (const file of files) {
            try {
                await file.slice(0, 1).arrayBuffer();
            } catch {
                return new UploadProblem("it cannot be read; choose it again.", {file: file});
            }
        }
        return new UploadProblem("The server does not answer: check that it is still running, then try again.");
    }

    // The files that are dropped, those of dropped folders in the order of their names.
    async function dropped(transfer) {
        const items = Array.from(transfer.items || []).filter((one) => one.kind === "file");
        const entries = items.map((one) => (one.webkitGetAsEntry ? one.webkitGetAsEntry() : null));
        const files = Array.from(transfer.files); // read now: it is empty once the event is over
        if (!entries.some((one) => one && one.isDirectory)) {
            return files;
        }
        const found = await Promise.all(entries.filter(Boolean).map(inside));
        return found.flat();
    }

    async function inside(entry) {
        if (entry.isFile) {
            return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
        }
        const reader = entry.createReader();
        const entries = [];
        for (;;) { // it returns a hundred at a time
            const more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
            if (!more.length) {
                break;
            }
            entries.push(...more);
        }
        entries.sort((one, other) => one.name.localeCompare(other.name, undefined, {numeric: true}));
        return (await Promise.all(entries.map(inside))).flat();
    }

    window.tiUploads = {batch: batch, dropped: dropped, send: send};
})();
