// What is in progress, outside the page: the browser's title shows the progress as the WebUI does, and the end of a task
// plays the WebUI's sound where it has one, and shows a notification where the user has allowed it. Without this file
// only these are missing.
(function () {
    "use strict";

    let added = ""; // what the title begins with
    let running = new Set(); // numbers of the tasks that were active at the last look

    function root() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function option(name, otherwise) {
        const options = typeof opts === "object" && opts !== null ? opts : {}; // the WebUI's settings
        return name in options ? options[name] : otherwise;
    }

    function sound() {
        return root().querySelector("#audio_notification audio");
    }

    function allowed() {
        return "Notification" in window && Notification.permission === "granted";
    }

    function entitle(progress) {
        const prefix = progress && option("show_progress_in_title", true) ? "[" + progress + "] " : "";
        if (prefix === added && document.title.startsWith(prefix)) {
            return;
        }
        // The WebUI sets the whole title while it generates, without what was added here.
        const rest = document.title.startsWith(added) ? document.title.slice(added.length) : document.title;
        added = prefix;
        document.title = prefix + rest.replace(/^\[[^\]]*(%|ETA)[^\]]*\] /, "");
    }

    function notify(outcome) {
        const audio = sound();
        if (audio) {
            audio.volume = option("notification_volume", 100) / 100;
            Promise.resolve(audio.play()).catch(function () {}); // browsers refuse it on a page that nobody has clicked
        }
        if (allowed() && !document.hasFocus()) {
            const shown = new Notification("Textual Inversion", {body: outcome});
            shown.onclick = function () {
                window.focus();
                shown.close();
            };
        }
    }

    function look() {
        const state = root().querySelector("#ti_tabs .ti-activity-state");
        if (!state) {
            return;
        }
        const tasks = Array.from(state.querySelectorAll("[data-number]"));
        tasks.filter((one) => one.dataset.running === "no" && running.has(one.dataset.number)).forEach(function (one) {
            notify(one.dataset.outcome);
        });
        running = new Set(tasks.filter((one) => one.dataset.running === "yes").map((one) => one.dataset.number));
        if (added || state.dataset.title) {
            entitle(state.dataset.title);
        }
    }

    window.tiActivity = {notifies: () => allowed() || sound() !== null};
    document.addEventListener("ti-changed", look);
})();
