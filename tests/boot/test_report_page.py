# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of ``ringscope report --html`` in a real browser: it shows what was counted, and answers."""

from __future__ import annotations

import json

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from ringscope.emulator.trace.event import Kind
from ringscope.emulator.trace.recording import Head, RecordingWriter
from tests.boot import browser
from tests.machine.command_line import ringscope
from tests.unit.trace.event_bytes import event, packed

ARCHITECTURES = ("x86_64", "aarch64")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser."""
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module", params=ARCHITECTURES)
def run(request, tmp_path_factory):
    """The page of the bundled system, and what ``stat --json`` says of it."""
    folder = tmp_path_factory.mktemp("page")
    page, counters = folder / "page.html", folder / "counters.json"
    ringscope("report", "--arch", request.param, "--html", page)
    ringscope("stat", "--arch", request.param, "--json", counters, "-o", "/dev/null")
    return page, json.loads(counters.read_text("utf-8"))


@pytest.fixture
def shown(chromium, run):
    """The page, opened anew."""
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.get(run[0].as_uri())
    return chromium


def text(shown, name):
    return shown.find_element("id", name).text


def cells(shown, table):
    """The rows of a table by their headings, as the numbers that are behind what it says."""
    return shown.execute_script(
        "return Object.fromEntries([...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map((row) =>"
        "[row.cells[0].textContent, [...row.cells].slice(1).map((cell) => Number(cell.dataset.value))]))",
        table,
    )


def point(shown, lane, cycle):
    """Put the pointer on a lane, given by thread and ring, at a cycle."""
    x, y = shown.execute_script(
        "const [thread, ring, cycle] = arguments;"
        "const i = line.lanes.findIndex((lane) => lane.thread === thread && lane.ring === ring);"
        "const box = canvas.getBoundingClientRect();"
        "canvas.scrollIntoView({block: 'center'});"
        "return [xOf(cycle) - box.width / 2, tops[i] + HEIGHTS[ring] / 2 - box.height / 2]",
        *lane,
        cycle,
    )
    canvas = shown.find_element("id", "timeline")
    ActionChains(shown).move_to_element_with_offset(canvas, round(x), round(y)).perform()


def first_piece(shown, thread, ring):
    """The first piece of a lane."""
    return shown.execute_script(
        "const [thread, ring] = arguments;"
        "return line.lanes.find((lane) => lane.thread === thread && lane.ring === ring).pieces[0]",
        thread,
        ring,
    )


def view(shown):
    return shown.execute_script("return view")


def test_the_page_opens_without_a_complaint_and_without_the_network(shown):
    assert shown.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in shown.get_log("performance")]
    asked = [
        each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert all(url.startswith("file://") for url in asked)


def test_the_counters_are_those_of_stat(shown, run):
    counters = run[1]["counters"]
    assert cells(shown, "counters") == {
        name: [counters[name], counters[f"{name}:u"], counters[f"{name}:k"]]
        for name in counters
        if ":" not in name
    }
    assert text(shown, "facts").count(f"{counters['instructions']:,}") == 1


def test_the_ledger_is_that_of_ipc(shown, run):
    ledger = run[1]["ledger"]
    rows = cells(shown, "ledger")
    assert rows.pop("carried out") == [entry["count"] for entry in ledger]
    assert rows == {
        name: [entry["per_op"][name] for entry in ledger] for name in ledger[0]["per_op"] if ":" not in name
    }


def test_the_bars_are_as_wide_as_their_causes(shown, run):
    found = shown.execute_script(
        "return [...document.querySelectorAll('#bars .stack:not(.rings)')].slice(1).map((bar) =>"
        "[...bar.children].map((part) => [Number(part.dataset.value), part.getBoundingClientRect().width /"
        " bar.getBoundingClientRect().width]))"
    )
    wanted = [
        [cycles / entry["count"] for cycles in entry["cycles_by_cause"].values() if cycles]
        for entry in run[1]["ledger"]
    ]
    assert [[value for value, _ in bar] for bar in found] == wanted
    for bar in found:
        assert [share for _, share in bar] == pytest.approx(
            [value / sum(v for v, _ in bar) for value, _ in bar], abs=0.005
        )


def test_every_lane_is_drawn_in_the_colour_of_what_it_shows(shown):
    """One piece of each lane fills the picture; the pixel in the middle of its lower edge is looked at."""
    drawn = shown.execute_script(
        "return line.lanes.map((lane, i) => {"
        " const piece = lane.pieces[lane.pieces.length >> 1], y = tops[i] + HEIGHTS[lane.ring] - 2;"
        " show(piece[BEGIN] - 5, piece[END] + 5);"
        " const dot = pen.getImageData(xOf((piece[BEGIN] + piece[END]) / 2), y, 1, 1).data;"
        " const seen = '#' + [0, 1, 2].map((k) => dot[k].toString(16).padStart(2, '0')).join('');"
        " return [lane.thread, lane.ring, seen, colours[piece[KIND]]]; })"
    )
    assert len(drawn) > 8
    assert [seen for *_, seen, _ in drawn] == [wanted for *_, wanted in drawn]


def test_the_pointer_is_told_what_it_is_on(shown):
    point(shown, ("kernel", "kernel"), 100_000)
    assert text(shown, "tip").splitlines()[:2] == ["boot", "kernel, kernel: kernel"]


def test_beside_every_lane_the_pointer_is_told_nothing(shown):
    point(shown, ("kernel", "kernel"), 100_000)
    ActionChains(shown).move_to_element(shown.find_element("id", "title")).perform()
    assert text(shown, "tip") == ""


def test_a_double_click_fills_the_picture_with_a_piece(shown):
    begin, end, *_ = first_piece(shown, "client", "operations")
    length = end - begin
    shown.execute_script("show(arguments[0], arguments[1])", begin - 5 * length, end + 5 * length)
    point(shown, ("client", "operations"), (begin + end) / 2)
    ActionChains(shown).double_click().perform()
    assert view(shown) == pytest.approx([begin - length / 10, end + length / 10])


@pytest.mark.parametrize(
    ("button", "key", "factor"), [("zoom-in", "+", 0.5), ("zoom-out", "-", 2), ("later", Keys.ARROW_RIGHT, 1)]
)
def test_buttons_and_keys_show_another_part_alike(shown, button, key, factor):
    shown.execute_script("show(2000000, 2400000)")
    shown.find_element("id", button).click()
    by_button, said = view(shown), text(shown, "range")
    shown.execute_script("show(2000000, 2400000)")
    shown.find_element("id", "timeline").send_keys(key)
    assert view(shown) == by_button
    assert by_button[1] - by_button[0] == pytest.approx(400_000 * factor)
    assert by_button != [2_000_000, 2_400_000]
    assert said.startswith(f"cycles {by_button[0]:,.0f} to {by_button[1]:,.0f}, ")


def test_no_way_of_looking_leaves_the_run(shown):
    for _ in range(40):
        shown.find_element("id", "zoom-in").click()
    assert view(shown)[1] - view(shown)[0] >= 20
    shown.execute_script("for (let i = 0; i < 50; i++) move(0.5)")
    shown.find_element("id", "whole").click()
    assert view(shown) == shown.execute_script("return whole")


def test_dragging_moves_the_picture_by_as_much(shown):
    shown.execute_script("show(2000000, 2400000)")
    point(shown, ("root", "user"), 2_200_000)
    ActionChains(shown).click_and_hold().move_by_offset(-100, 0).release().perform()
    pixels = shown.execute_script("return width - GUTTER")
    assert view(shown)[0] - 2_000_000 == pytest.approx(100 * 400_000 / pixels, rel=0.02)


def test_light_and_dark_change_the_page_and_the_picture(shown):
    def looks():
        return shown.execute_script(
            "return [getComputedStyle(document.body).backgroundColor, [...pen.getImageData(5, 2, 1, 1).data]]"
        )

    before = looks()
    shown.find_element("id", "theme").click()
    after = looks()
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_everything_drawn_is_in_words_too(shown):
    lanes = shown.execute_script(
        "return line.lanes.map(({thread, ring, busy, count}) => [thread, ring, busy, count])"
    )
    shown.find_element("tag name", "summary").click()
    rows = shown.execute_script(
        "return [...document.querySelectorAll('#lanes tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert rows == [[thread, ring, f"{busy:,}", f"{count:,}"] for thread, ring, busy, count in lanes]
    labels = shown.execute_script(
        "return [...document.querySelectorAll('.stack')].map((bar) => bar.ariaLabel)"
    )
    assert labels
    assert all("%" in label for label in labels)


@pytest.fixture(scope="module")
def long_page(tmp_path_factory):
    """The page of a recording of many events: a program that calls the kernel at an uneven pace."""
    folder = tmp_path_factory.mktemp("long")
    recording, page = folder / "recording", folder / "page.html"
    with recording.open("wb") as file:
        writer = RecordingWriter(file.write)
        writer.begin(Head("x86_64", "skylake", 4_000_000_000))
        for round_ in range(100):
            start = 100_000 * round_
            writer.take(
                packed(
                    *(
                        event(
                            kind,
                            start + 60 * i,
                            user=user,
                            to_user=1 - user,
                            space=0x1000,
                            source=0x401000,
                            cost=9,
                        )
                        for i in range(1000)
                        for kind, user in [(Kind.RETURN, 0) if i % 2 else (Kind.SYSTEM_CALL, 1)]
                    )
                )
            )
        writer.finish({0x1000: "root.elf"}, {})
    ringscope("report", "--read", recording, "--html", page)
    return page


def test_a_long_trace_is_a_small_page_that_says_so(chromium, long_page):
    chromium.get_log("browser")
    chromium.get(long_page.as_uri())
    assert chromium.get_log("browser") == []
    assert long_page.stat().st_size < 4 << 20
    assert "100,000 events were traced." in text(chromium, "timeline-note")
    assert "are drawn as one; give report --begin and --end" in text(chromium, "timeline-note")
    point(chromium, ("root", "user"), 50_000)
    assert "put together for the view" in text(chromium, "tip")


def test_a_page_of_a_recording_has_no_figures_and_no_empty_place_for_them(chromium, long_page):
    chromium.get(long_page.as_uri())
    headings = [each.text for each in chromium.find_elements("tag name", "h2")]
    assert headings == ["Timeline"]
