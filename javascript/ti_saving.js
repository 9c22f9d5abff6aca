// What the scripts of the steps share: handing text to the server through a field of Gradio's, and knowing that it came.
(function () {
    "use strict";

    const AGAIN = 8000; // milliseconds without an answer until the same is sent again
    const LATE = 3; // times, until the page says that nothing answers

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function find(selector) {
        return root().querySelector(selector);
    }

    function findAll(selector) {
        return Array.from(root().querySelectorAll(selector));
    }

    // Fill a field so that Gradio takes note; false where there is none.
    function write(name, text) {
        const field = find(`#${name} textarea, #${name} input`);
        if (!field) {
            return false;
        }
        field.value = text;
        field.dispatchEvent(new Event("input", {bubbles: true}));
        return true;
    }

    function read(name) {
        const field = find(`#${name} textarea, #${name} input`);
        return field ? field.value : "";
    }

    // Sends what has changed, one message at a time, each until it is answered; whoever leaves the page before that is
    // asked whether to. `field` carries a message, and `said` shows the answer: an element with data-saved="<number>",
    // and data-failed="yes" where it was not kept.
    //   take()                 what there is to send by now, or null
    //   message(data, number)  that as text, or a promise of it
    //   back(data)             it was not kept
    //   kept(answer)           it was; the element that says so
    function saver(options) {
        const wait = options.wait || 400;
        let changed = false;
        let timer = 0;
        let data = null;
        let number = "";
        let late = 0;
        let times = 0;
        const settled = []; // what waits until everything is answered

        function change() {
            changed = true;
            window.clearTimeout(timer);
            timer = window.setTimeout(send, wait);
        }

        async function send() {
            if (data !== null || !changed) {
                return;
            }
            changed = false;
            data = options.take();
            times = 0;
            if (data !== null) {
                await post();
            }
        }

        // Under a new number each time, since the same text in the field would be no news.
        async function post() {
            const next = String(Date.now());
            const text = await options.message(data, next);
            number = next;
            window.clearTimeout(late);
            late = window.setTimeout(repeat, AGAIN);
            write(options.field, text);
        }

        function repeat() {
            times += 1;
            silent(times >= LATE);
            post();
        }

        // Send what there is at once, and wait until it is answered, though not for ever.
        async function settle() {
            window.clearTimeout(timer);
            await send();
            if (busy()) {
                await new Promise(function (done) {
                    settled.push(done);
                    window.setTimeout(done, AGAIN);
                });
            }
        }

        function busy() {
            return changed || data !== null;
        }

        function ended(answer) {
            const was = data;
            data = null;
            window.clearTimeout(late);
            silent(false);
            if (answer.dataset.failed === "yes") {
                options.back(was);
            } else {
                options.kept(answer);
            }
            if (changed) {
                change();
            } else {
                settled.splice(0).forEach((done) => done());
            }
        }

        function silent(yes) {
            const said = find(`#${options.said}`);
            if (said) {
                said.classList.toggle("ti-silent", yes);
            }
        }

        document.addEventListener("ti-changed", function () {
            const answer = data !== null && find(`#${options.said} [data-saved="${number}"]`);
            if (answer) {
                ended(answer);
            }
        });
        window.addEventListener("beforeunload", function (event) {
            if (busy()) {
                event.preventDefault();
                event.returnValue = "";
            }
        });
        return {change: change, settle: settle, busy: busy};
    }

    window.tiSaving = {find: find, findAll: findAll, read: read, saver: saver, write: write};
})();
