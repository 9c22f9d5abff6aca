// What a field for files holds: files that are uploaded batch by batch, also while more are added, and then passed to the
// server in a text field as {"number", "files", "pending"}.
(function () {
    "use strict";

    const UNANSWERED = 20000; // milliseconds after which the page offers to send the uploaded files again
    const SHOWN_NAMES = 3;
    let messages = 0;

    function total(entries) {
        return entries.reduce((sum, entry) => sum + entry.file.size, 0);
    }

    function counted(number) {
        return number === 1 ? "1 file" : `${number} files`;
    }

    function notAdded(number) {
        return `${counted(number)} ${number === 1 ? "was" : "were"} not added`;
    }

    function tooMany(number, most) {
        return `${notAdded(number)}: at most ${most} can be used. Keep the best images.`;
    }

    function size(bytes) {
        if (bytes >= 1e9) {
            return `${(bytes / 1e9).toFixed(1)} GB`;
        }
        return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} KB`;
    }

    function names(entries) {
        const shown = entries.slice(0, SHOWN_NAMES).map((entry) => entry.file.name).join(", ");
        return entries.length > SHOWN_NAMES ? `${shown} and ${entries.length - SHOWN_NAMES} more` : shown;
    }

    // options: {name, keeps, multiple, mostFiles, mostBytes}; with `keeps`, the files stay until a button uses them,
    // without it they are passed on at once. view: {show, progress}, called when something has changed.
    class UploadQueue {
        constructor(options, view) {
            this.options = options;
            this.view = view;
            this.entries = []; // {file, path, fresh}: without a path until it is uploaded; fresh until all are
            this.upload = null; // the request in progress
            this.batch = []; // its entries
            this.share = 0; // how much of it is sent
            this.largest = Infinity; // most files of a request, less where the server does not accept large ones
            this.problem = ""; // why the upload stopped
            this.notes = []; // what was not added, and why
            this.number = ""; // of the message that waits for its answer
            this.passed = []; // the entries that it was about
            this.used = ""; // the names of those that the server has used last
        }

        get pending() {
            return this.entries.filter((entry) => !entry.path);
        }

        add(files) {
            Object.assign(this, {notes: [], used: ""});
            if (!this.options.multiple) {
                this.replace(files);
            }
            const chosen = this.options.multiple ? files : files.slice(0, 1);
            const added = this.distinct(chosen.map((file) => ({file: file, path: "", fresh: true})));
            const all = [...this.entries, ...added];
            if (all.length > this.options.mostFiles) {
                this.notes.push(tooMany(added.length, `${this.options.mostFiles} files`));
            } else if (total(all) > this.options.mostBytes) {
                this.notes.push(tooMany(added.length, size(this.options.mostBytes)));
            } else if (added.length) {
                this.forget();
                this.entries = all;
            }
            this.next();
        }

        replace(files) {
            this.abort();
            Object.assign(this, {entries: [], number: "", passed: [], problem: ""});
            if (files.length > 1) {
                this.notes.push(`One file can be used here: ${files[0].name} was taken.`);
            }
        }

        // Without files that are here already, and those that have the name of another one.
        distinct(entries) {
            const known = new Map(this.entries.map((entry) => [entry.file.name.toLowerCase(), entry.file]));
            const same = [];
            const other = [];
            const added = entries.filter(function (entry) {
                const before = known.get(entry.file.name.toLowerCase());
                if (!before) {
                    known.set(entry.file.name.toLowerCase(), entry.file);
                    return true;
                }
                const equal = before.size === entry.file.size && before.lastModified === entry.file.lastModified;
                (equal ? same : other).push(entry);
                return false;
            });
            if (same.length) {
                this.notes.push(`Already here: ${names(same)}.`);
            }
            if (other.length) {
                const why = "since another file has the same name";
                this.notes.push(`${notAdded(other.length)}, ${why}: ${names(other)}. Rename it, or use a zip.`);
            }
            return added;
        }

        // Upload what is pending, batch by batch, and then pass on what is uploaded.
        next() {
            const pending = this.pending;
            if (pending.length && !this.upload && !this.problem) {
                this.send(pending);
            }
            if (!pending.length) {
                this.entries.forEach((entry) => (entry.fresh = false));
                if (!this.options.keeps && this.entries.length && !this.number && !this.problem) {
                    this.pass();
                }
            }
            if (this.options.keeps) {
                this.write();
            }
            this.view.show();
        }

        send(pending) {
            const files = window.tiUploads.batch(pending.slice(0, this.largest).map((entry) => entry.file));
            const batch = pending.slice(0, files.length);
            const progress = (share) => {
                if (this.upload === upload) {
                    this.share = share;
                    this.view.progress();
                }
            };
            const upload = window.tiUploads.send(files, progress);
            Object.assign(this, {upload: upload, batch: batch, share: 0});
            const ended = (action) => (result) => {
                if (this.upload === upload) { // and it was not canceled
                    Object.assign(this, {upload: null, batch: []});
                    action(result);
                    this.next();
                }
            };
            upload.done.then(
                ended((paths) => batch.forEach((entry, index) => (entry.path = paths[index]))),
                ended((problem) => this.failed(batch, problem)),
            );
        }

        failed(batch, problem) {
            if (problem.tooLarge && batch.length > 1) {
                this.largest = Math.ceil(batch.length / 2);
            } else if (problem.tooLarge || problem.file) {
                const blamed = problem.file ? batch.filter((entry) => entry.file === problem.file) : batch;
                this.entries = this.entries.filter((entry) => !blamed.includes(entry));
                this.notes.push(`${names(blamed)} was not added: ${problem.message}`);
            } else {
                this.problem = problem.message;
            }
        }

        pass() {
            this.number = this.write();
            this.passed = this.entries.slice();
            window.setTimeout((number) => {
                if (this.number === number) {
                    this.problem = "The server has not answered yet.";
                    this.view.show();
                }
            }, UNANSWERED, this.number);
        }

        write() {
            messages += 1;
            const number = `${Date.now()}.${messages}`;
            const files = this.entries.filter((entry) => entry.path).map((entry) => entry.path);
            const message = {number: number, files: files, pending: this.pending.length};
            window.tiSaving.write(`${this.options.name}_uploaded`, JSON.stringify(message));
            return number;
        }

        // The server has used the files, or refused them for now.
        answered(refused) {
            const passed = this.passed;
            Object.assign(this, {number: "", passed: [], problem: ""});
            if (refused) {
                this.problem = `${counted(passed.length)} uploaded, but not used yet.`;
            } else {
                this.entries = this.entries.filter((entry) => !passed.includes(entry));
                this.used = names(passed);
            }
            this.next();
        }

        // The problem, and the message that it is about: its files are passed on again, or canceled.
        forget() {
            if (this.problem) {
                Object.assign(this, {number: "", passed: [], problem: ""});
            }
        }

        abort() {
            const upload = this.upload;
            Object.assign(this, {upload: null, batch: []});
            if (upload) {
                upload.abort();
            }
        }

        cancel() {
            const keeps = this.options.keeps;
            this.forget();
            this.abort();
            const removed = this.entries.filter((entry) => (keeps ? entry.fresh : !this.passed.includes(entry)));
            this.entries = this.entries.filter((entry) => !removed.includes(entry));
            this.notes = [`Canceled: ${notAdded(removed.length)}.`];
            this.next();
        }

        again() {
            this.forget();
            this.next();
        }

        remove(entries) {
            this.notes = [];
            this.entries = this.entries.filter((entry) => !entries.includes(entry));
            this.next();
        }

        // The number of the file that is being sent, how many are, and the share of their bytes that is sent.
        get progress() {
            const fresh = this.entries.filter((entry) => entry.fresh);
            const done = fresh.filter((entry) => entry.path);
            let sent = this.share * total(this.batch);
            const share = Math.min(1, (total(done) + sent) / (total(fresh) || 1));
            const index = this.batch.findIndex(function (entry) {
                sent -= entry.file.size;
                return sent < 0;
            });
            const number = done.length + (index < 0 ? this.batch.length : index + 1);
            return {number: Math.min(number, fresh.length), of: fresh.length, share: share};
        }
    }

    window.tiUploadQueue = {UploadQueue: UploadQueue, counted: counted, names: names, size: size, total: total};
})();
