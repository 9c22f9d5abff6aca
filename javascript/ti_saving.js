// Shared by the scripts of the steps: send text to the server through a field of Gradio's, and wait for the answer.
(function () {
    "use strict";

    const RETRY = 8000; // milliseconds without an answer until a message is sent again
    const MOST_RETRIES = 3; // then the page says that the server does not answer

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function find(selector) {
        return root().querySelector(selector);
    }

    function findAll(selector) {
        return Array.from(root().querySelectorAll(selector));
    }

    // Fill a field so that Gradio notices; returns false where there is none.
    function write(name, text) {
        const field = find(`#${name} textarea, #${name} input`);
        if (!field) {
            return false;
        }
        field.value = text;
        field.dispatchEvent(new Event("input", {bubbles: true}));
        return true;
    }

    // Fill a field whose text counts each time, also where it is the same as before: with the time in front of it.
    function request(name, text) {
        return write(name, `${Date.now()} ${text}`);
    }

    function read(name) {
        const field = find(`#${name} textarea, #${name} input`);
        return field ? field.value : "";
    }

    // Sends changes one message at a time, each until it is answered; leaving the page before that asks for
    // confirmation. `field` carries a message, and `answerBox` shows the answer: an element with data-saved="<number>",
    // and data-failed="yes" where the changes were not saved.
    //   take()                 returns what there is to send, or null
    //   message(data, number)  returns that as text, or a promise of it
    //   failed(data)           called when it was not saved
    //   saved(answer)          called when it was saved, with the element that says so
    function saver(options) {
        const wait = options.wait || 400;
        let changed = false;
        let timer = 0;
        let data = null;
        let number = "";
        let late = 0;
        let times = 0;
        const waiting = []; // callbacks that wait until everything is answered

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

        // With a new number each time, since the same text in the field would not trigger an event.
        async function post() {
            const next = String(Date.now());
            const text = await options.message(data, next);
            number = next;
            window.clearTimeout(late);
            late = window.setTimeout(repeat, RETRY);
            write(options.field, text);
        }

        function repeat() {
            times += 1;
            markUnanswered(times >= MOST_RETRIES);
            post();
        }

        // Send at once, and wait for the answer, but not forever.
        async function flush() {
            window.clearTimeout(timer);
            await send();
            if (busy()) {
                await new Promise(function (done) {
                    waiting.push(done);
                    window.setTimeout(done, RETRY);
                });
            }
        }

        function busy() {
            return changed || data !== null;
        }

        function ended(answer) {
            const sent = data;
            data = null;
            window.clearTimeout(late);
            markUnanswered(false);
            if (answer.dataset.failed === "yes") {
                options.failed(sent);
            } else {
                options.saved(answer);
            }
            if (changed) {
                change();
            } else {
                waiting.splice(0).forEach((done) => done());
            }
        }

        function markUnanswered(yes) {
            const box = find(`#${options.answerBox}`);
            if (box) {
                box.classList.toggle("ti-unanswered", yes);
            }
        }

        document.addEventListener("ti-changed", function () {
            const answer = data !== null && find(`#${options.answerBox} [data-saved="${number}"]`);
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
        return {change: change, flush: flush, busy: busy};
    }

    window.tiSaving = {find: find, findAll: findAll, read: read, request: request, saver: saver, write: write};
})();
