// The step Look over: switches that leave pictures out, words and heads of columns that are pressed, and pictures seen
// large, one after the other. Without this file the search, the order and a list of names do the same.
(function () {
    "use strict";

    const SHOWN_BY = 5000; // milliseconds until a page is given up that was asked to show something
    const wanted = {}; // decisions by digest that are not sent yet
    let saver = null;
    let large = null; // the dialog, while it is open
    let open = ""; // digest of the picture in it

    function look() {
        return window.tiSaving.find("#ti_look_pictures .ti-look");
    }

    function all() {
        return look() ? Array.from(look().querySelectorAll(".ti-seen")) : [];
    }

    function picturesOf(digest) {
        return all().filter((one) => one.dataset.digest === digest);
    }

    function switchOf(picture) {
        return picture.querySelector(".ti-switch");
    }

    // Decisions.

    function show(digest, leftOut) {
        picturesOf(digest).forEach(function (picture) {
            const button = switchOf(picture);
            if (button) {
                picture.classList.toggle("ti-left-out", leftOut);
                button.setAttribute("aria-checked", String(!leftOut));
            }
        });
        if (large && open === digest) {
            large.classList.toggle("ti-left-out", leftOut);
            switchOf(large).setAttribute("aria-checked", String(!leftOut));
        }
    }

    function isLeftOut(picture) {
        return switchOf(picture).getAttribute("aria-checked") === "false";
    }

    function decide(decisions) {
        Object.keys(decisions).forEach(function (digest) {
            wanted[digest] = decisions[digest];
            show(digest, decisions[digest]);
        });
        saving().change();
    }

    function turn(picture) {
        if (picture && switchOf(picture)) {
            decide({[picture.dataset.digest]: !isLeftOut(picture)});
        }
    }

    function only(picture) {
        const decisions = {};
        picture.closest(".ti-look-group").querySelectorAll(".ti-seen").forEach(function (one) {
            decisions[one.dataset.digest] = one.dataset.digest !== picture.dataset.digest;
        });
        decide(decisions);
    }

    function saving() {
        saver = saver || window.tiSaving.saver({
            field: "ti_look_changes",
            said: "ti_look_said",
            wait: 1,
            take: function () {
                const taken = {place: look() ? look().dataset.place : "", pictures: {...wanted}};
                Object.keys(wanted).forEach((digest) => delete wanted[digest]);
                return Object.keys(taken.pictures).length ? taken : null;
            },
            message: (data, number) => JSON.stringify({number: number, place: data.place, pictures: data.pictures}),
            back: (data) => Object.keys(data.pictures).forEach((digest) => show(digest, !data.pictures[digest])),
            kept: () => undefined,
        });
        return saver;
    }

    // Asking for other pictures. What was pressed is made anew with them: the keyboard stays where it was.

    function ask(field, text, pressed) {
        const before = window.tiSaving.find(pressed);
        function restore() {
            const now = window.tiSaving.find(pressed);
            if (now === null || now === before) {
                return;
            }
            if (document.activeElement === document.body) {
                now.focus({preventScroll: true});
            }
            document.removeEventListener("ti-changed", restore);
        }
        document.addEventListener("ti-changed", restore);
        window.setTimeout(() => document.removeEventListener("ti-changed", restore), SHOWN_BY);
        window.tiSaving.write(field, text);
    }

    // Seen large.

    function fill(picture) {
        const link = picture.querySelector("a");
        const badges = Array.from(picture.querySelectorAll(".ti-badge:not(.ti-badge-group)"));
        const others = all();
        open = picture.dataset.digest;
        large.querySelector("img").src = link.href;
        large.querySelector("img").alt = picture.dataset.name;
        large.querySelector("h4").textContent = picture.dataset.name;
        large.querySelector(".ti-large-facts").textContent = link.title;
        large.querySelector(".ti-large-place").textContent = `${others.indexOf(picture) + 1} of ${others.length}`;
        const list = large.querySelector("ul");
        list.replaceChildren(...badges.map(function (badge) {
            const line = document.createElement("li");
            const label = badge.cloneNode(true);
            label.removeAttribute("title");
            line.append(label, ` ${badge.title}`);
            return line;
        }));
        const button = switchOf(large);
        button.hidden = !switchOf(picture);
        button.setAttribute("aria-label", `Use ${picture.dataset.name}`);
        const leftOut = picture.classList.contains("ti-left-out");
        button.setAttribute("aria-checked", String(!leftOut));
        large.classList.toggle("ti-left-out", leftOut);
        large.dataset.number = String(others.indexOf(picture));
    }

    function made() {
        const dialog = document.createElement("dialog");
        dialog.className = "ti-large-look";
        dialog.setAttribute("aria-label", "A picture, large");
        dialog.innerHTML =
            '<div class="ti-large-stage"><img></div><div class="ti-large-side"><h4></h4>' +
            '<p class="ti-hint ti-large-facts"></p><ul></ul>' +
            '<button type="button" role="switch" class="ti-switch"></button>' +
            '<div class="ti-large-turn"><button type="button" data-go="-1" aria-label="Previous">←</button>' +
            '<span class="ti-large-place"></span><button type="button" data-go="1" aria-label="Next">→</button>' +
            '<button type="button" data-go="close">Close</button></div>' +
            '<p class="ti-hint">Keys: ← → for the next one, L to exclude or include, Esc to close.</p></div>';
        dialog.addEventListener("close", function () {
            const picture = all()[Number(dialog.dataset.number)];
            dialog.remove();
            large = null;
            if (picture) {
                picture.querySelector("a").focus();
                picture.scrollIntoView({block: "nearest"});
            }
        });
        dialog.addEventListener("click", function (event) {
            if (event.target === dialog) {
                dialog.close();
            }
        });
        return dialog;
    }

    function enlarge(picture) {
        large = made();
        window.tiSaving.find("#ti_look_pictures").append(large);
        fill(picture);
        large.showModal();
        switchOf(large).focus();
    }

    function go(step) {
        const others = all();
        const next = others[(Number(large.dataset.number) + step + others.length) % others.length];
        if (next) {
            fill(next);
        }
    }

    // Events.

    function pressed(event) {
        const target = event.target.closest && event.target.closest("#ti_tabs :is(button, a)");
        if (!target) {
            return;
        }
        if (target.dataset.find !== undefined && target.closest("#ti_look_summary, #ti_look_pictures")) {
            const word = target.dataset.word;
            ask("ti_look_find", target.dataset.find, word ? `#ti_look_summary [data-word="${word}"]` : "#ti_look_find");
        } else if (target.dataset.sort && target.closest("#ti_look_pictures")) {
            // With the time, since the same text in the field would be no news.
            const key = target.dataset.sort;
            ask("ti_look_head", `${key} ${Date.now()}`, `#ti_look_pictures [data-sort="${key}"]`);
        } else if (large && large.contains(target)) {
            pressedLarge(target);
        } else if (target.closest("#ti_look_pictures .ti-seen")) {
            pressedPicture(event, target);
        }
    }

    function pressedLarge(target) {
        if (target.matches(".ti-switch")) {
            turn(all()[Number(large.dataset.number)]);
        } else if (target.dataset.go === "close") {
            large.close();
        } else {
            go(Number(target.dataset.go));
        }
    }

    function pressedPicture(event, target) {
        const picture = target.closest(".ti-seen");
        if (target.matches(".ti-switch")) {
            turn(picture);
        } else if (target.matches(".ti-look-only")) {
            only(picture);
        } else if (target.matches("a") && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
            event.preventDefault();
            enlarge(picture);
        }
    }

    function typed(event) {
        if (!large || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        const steps = {ArrowLeft: -1, ArrowRight: 1};
        if (steps[event.key]) {
            event.preventDefault();
            go(steps[event.key]);
        } else if (event.key.toLowerCase() === "l") {
            event.preventDefault();
            turn(all()[Number(large.dataset.number)]);
        }
    }

    document.addEventListener("click", pressed);
    document.addEventListener("keydown", typed);
})();
