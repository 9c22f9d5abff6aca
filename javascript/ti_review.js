// The review of removed text in the step Remove: switches that accept or reject, and links that open an image below.
// Without this file, a list of names does the same.
(function () {
    "use strict";

    const unsent = {}; // decisions by digest: whether to keep the removal
    let saver = null;

    function list() {
        return window.tiSaving.find("#ti_review_pairs .ti-review");
    }

    function show(digest, accepted) {
        window.tiSaving.findAll(`#ti_review_pairs .ti-pair[data-digest="${digest}"] .ti-switch`).forEach(function (one) {
            one.setAttribute("aria-checked", String(accepted));
        });
    }

    function saving() {
        saver = saver || window.tiSaving.saver({
            field: "ti_review_changes",
            answerBox: "ti_review_saved",
            wait: 1,
            take: function () {
                const taken = {key: list() ? list().dataset.key : "", images: {...unsent}};
                Object.keys(unsent).forEach((digest) => delete unsent[digest]);
                return Object.keys(taken.images).length ? taken : null;
            },
            message: (data, number) => JSON.stringify({number: number, key: data.key, images: data.images}),
            failed: (data) => Object.keys(data.images).forEach((digest) => show(digest, !data.images[digest])),
            saved: () => undefined,
        });
        return saver;
    }

    function toggle(button) {
        const digest = button.closest(".ti-pair").dataset.digest;
        const accepted = button.getAttribute("aria-checked") !== "true";
        unsent[digest] = accepted;
        show(digest, accepted);
        saving().change();
    }

    function open(name) {
        window.tiSaving.request("ti_remove_goto", name);
        window.tiSaving.find("#ti_remove_row").scrollIntoView({block: "start", behavior: "smooth"});
    }

    function clicked(event) {
        const button = event.target.closest && event.target.closest("#ti_review_pairs button");
        if (button && button.matches(".ti-switch")) {
            toggle(button);
        } else if (button && button.dataset.open) {
            open(button.dataset.open);
        }
    }

    // Buttons that act on all decisions wait until the last one is saved.
    async function hold(event) {
        const button = event.target.closest && event.target.closest("#ti_review button");
        if (button && !button.closest("#ti_review_pairs") && saver && saver.busy()) {
            event.stopImmediatePropagation();
            event.preventDefault();
            await saver.flush();
            button.click();
        }
    }

    document.addEventListener("click", hold, true);
    document.addEventListener("click", clicked);
})();
