// Loss curves: the values of the step under the pointer, or chosen with the arrow keys, in a line below the plot, and a
// press that chooses that step where the page has steps to choose. Without this file the best step's values are there.
(function () {
    "use strict";

    const KEYS = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity};
    // What is read now: the plot is replaced during a run.
    let read = {box: "", step: NaN, focused: false};

    function boxOf(plot) {
        const box = plot.parentElement.closest("[id]");
        return box ? box.id : "";
    }

    function stopsOf(plot) {
        plot.stops = plot.stops || JSON.parse(plot.dataset.stops);
        return plot.stops;
    }

    function nearest(stops, value, at) {
        return stops.reduce((found, stop) => (Math.abs(stop[at] - value) < Math.abs(found[at] - value) ? stop : found));
    }

    function remember(plot) {
        if (plot.rest === undefined) {
            plot.rest = Number(plot.getAttribute("aria-valuenow"));
        }
    }

    function show(plot, stop) {
        remember(plot);
        const [x, y, step, text] = stop;
        const cursor = plot.querySelector(".ti-cursor");
        cursor.setAttribute("visibility", "visible");
        cursor.setAttribute("transform", `translate(${x} 0)`);
        cursor.querySelector("circle").setAttribute("cy", y === null ? 0 : y);
        cursor.querySelector("circle").setAttribute("visibility", y === null ? "hidden" : "inherit");
        plot.setAttribute("aria-valuenow", step);
        plot.setAttribute("aria-valuetext", text);
        plot.nextElementSibling.textContent = text;
    }

    // The chosen step, else the best one, as it was before the pointer came.
    function rest(plot) {
        const stops = stopsOf(plot);
        remember(plot);
        const chosen = plot.dataset.chosen;
        show(plot, nearest(stops, Number(chosen || plot.rest), 2));
        plot.querySelector(".ti-cursor").setAttribute("visibility", chosen ? "visible" : "hidden");
    }

    function choose(plot, step) {
        plot.dataset.chosen = step;
        if (read.box !== boxOf(plot)) {
            rest(plot);
        }
    }

    function under(plot, event) {
        const svg = plot.querySelector("svg");
        svg.querySelectorAll("title").forEach((title) => title.remove()); // the line below says more
        const place = svg.getBoundingClientRect();
        return nearest(stopsOf(plot), (event.clientX - place.left) * svg.viewBox.baseVal.width / place.width, 0);
    }

    function plotOf(event) {
        return event.target.closest ? event.target.closest("#ti_tabs .ti-plot") : null;
    }

    function follow(plot, stop, focused) {
        read = {box: boxOf(plot), step: stop[2], focused: focused};
        show(plot, stop);
    }

    function moved(event) {
        const plot = plotOf(event);
        if (plot) {
            follow(plot, under(plot, event), false);
        } else if (read.box && !read.focused) {
            leave();
        }
    }

    function leave() {
        const box = read.box;
        read = {box: "", step: NaN, focused: false};
        const plot = window.tiSaving.find(`#${box} .ti-plot`);
        if (plot) {
            rest(plot);
        }
    }

    function pick(plot, stop) {
        if (plot.dataset.pickField) {
            window.tiSaving.write(plot.dataset.pickField, `${stop[2]} ${Date.now()}`);
        }
    }

    function pressed(event) {
        const plot = plotOf(event);
        if (plot) {
            pick(plot, under(plot, event));
        }
    }

    function keyPressed(event) {
        const plot = plotOf(event);
        if (!plot || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        const stops = stopsOf(plot);
        const now = stops.findIndex((stop) => stop[2] === Number(plot.getAttribute("aria-valuenow")));
        if (event.key in KEYS) {
            event.preventDefault();
            follow(plot, stops[Math.min(stops.length - 1, Math.max(0, now + KEYS[event.key]))], true);
        } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            pick(plot, stops[now]);
        }
    }

    // A plot that is replaced loses the focus too, in some browsers while it is still there.
    function left(event) {
        const plot = plotOf(event);
        window.setTimeout(function () {
            if (plot && plot.isConnected && read.focused && document.activeElement !== plot) {
                leave();
            }
        }, 0);
    }

    // The plot was replaced by one with more steps.
    function changed() {
        const plot = read.box && window.tiSaving.find(`#${read.box} .ti-plot`);
        if (plot && plot.querySelector(".ti-cursor").getAttribute("visibility") === "hidden") {
            follow(plot, nearest(stopsOf(plot), read.step, 2), read.focused);
            if (read.focused && document.activeElement === document.body) {
                plot.focus({preventScroll: true});
            }
        }
    }

    document.addEventListener("pointermove", moved);
    document.addEventListener("click", pressed);
    document.addEventListener("keydown", keyPressed);
    document.addEventListener("focusout", left);
    document.addEventListener("ti-changed", changed);

    window.tiChart = {choose: choose};
})();
