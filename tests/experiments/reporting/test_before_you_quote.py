"""The box of cautions and the word of a card: in values' pages and lines, whoever wrote them."""

from experiments.reporting.before_you_quote import (
    TITLE,
    before_you_quote,
    fidelity_said,
    with_fidelity,
)
from experiments.reporting.result import Record, Result

PANEL = {
    "ks": 0.2, "wasserstein": 0.4, "mean_shift": 0.3, "low_share": 0.02, "real_low_share": 0.15,
    "variance_ratio": 0.5, "genre_gap": 0.1, "agreement": 0.9,
}  # fmt: skip
TIE = {"better": "a", "worse": "b", "ci95": [-0.1, 0.1], "p_holm": 1.0}
LEAD = {"better": "a", "worse": "c", "ci95": [0.1, 0.2], "p_holm": 0.01}


def test_levels_are_told_with_the_panel_against_kind_people():
    said = before_you_quote({"utopian_bias": PANEL}, [])[1]
    assert "+0.30 off" in said
    assert "2 % of them are one or two stars, of the real ratings 15 %;" in said
    assert "the variance between people is 0.50 of the real one. Believe" in said


def test_levels_that_nobody_compared_are_not_to_be_believed():
    assert "Nobody has compared the level" in before_you_quote(None, [])[1]


def test_ties_are_named_and_leads_are_not():
    assert before_you_quote(None, [TIE, LEAD])[-1] == ("Ties, of which none is better: a and b.")
    two = before_you_quote(None, [TIE, TIE | {"better": "b", "worse": "c"}])[-1]
    assert two == "Ties, of which none is better: a and b; b and c."
    assert before_you_quote(None, [LEAD])[-1] == ("No difference in this report is a tie.")
    unadjusted = {**LEAD, "p_holm": 0.2}
    assert "a and c" in before_you_quote(None, [unadjusted])[-1]
    assert before_you_quote(None, [TIE] * 9)[-1].endswith("and 3 more pairs.")


def test_users_who_share_their_ratings_with_policies_are_said_to_overrate():
    assert "overrated" in " ".join(before_you_quote(None, []))
    assert "overrated" not in " ".join(before_you_quote(None, [], evidence="independent"))
    assert "overrated" not in " ".join(before_you_quote(None, [], evidence="none"))
    assert "was not measured" in " ".join(before_you_quote(None, []))
    assert "was not measured" not in " ".join(before_you_quote(None, [], evidence="none"))


def test_the_collusion_figure_names_every_policy_and_those_that_sharing_favours():
    found = {
        "users": 50,
        "policies": {
            "ease": {"difference": 0.1, "ci95": [0.05, 0.15], "beside_others_ci95": [0.02, 0.08]},
            "als": {"difference": 0.0, "ci95": [-0.05, 0.05], "beside_others_ci95": [-0.1, 0.1]},
        },
    }
    said = " ".join(before_you_quote(None, [], collusion=found))
    assert "of 50 users with 95 % CI: ease +0.100 (0.050 to 0.150), als +0.000" in said
    assert said.count("sharing favours ease.") == 1
    found["policies"]["ease"]["beside_others_ci95"] = [-0.1, 0.1]
    assert "favours no policy beyond noise" in " ".join(before_you_quote(None, [], collusion=found))


def result(word):
    card = {"fidelity": {"word": word, "said": f'The card says "{word}" | of it.'}}
    values = {"users": card, "before_you_quote": ["Mind the gap.", "And the step."]}
    return Result(values, pages={"report.md": "# Title\n\ntext\n", "report.html": "<p>"})


def test_word_and_box_stand_below_the_title_and_in_the_lines():
    shown = with_fidelity(result("fail"))
    page = shown.pages["report.md"](Record({}, ""))
    assert page.startswith('# Title\n\n> The card says "fail" \\| of it.\n')
    assert f"> **{TITLE}**\n>\n> - Mind the gap.\n> - And the step.\n" in page
    assert page.rstrip().endswith("text")
    assert shown.pages["report.html"] == "<p>"
    assert [str(line) for line in shown.lines] == [
        'The card says "fail" | of it.', f"{TITLE}:", "- Mind the gap.", "- And the step."
    ]  # fmt: skip
    assert "red" in shown.lines[0].style
    assert "red" not in with_fidelity(result("pass")).lines[0].style


def test_a_run_without_people_says_nothing():
    plain = Result({"users": {"kind": "scripted"}}, pages={"report.md": "# T\n"})
    assert with_fidelity(plain) is plain
    assert fidelity_said({"users": "nobody"}) == ("", "")


def test_people_who_were_asked_twice_are_one_person_each():
    once = before_you_quote(None, [], evidence="independent")
    both = before_you_quote(None, [], evidence="independent", swapped=True)
    (more,) = set(both) - set(once)
    assert both.index(more) == 3  # right behind what was cut
    assert "what a person says is the mean of both" in more
    assert "over people, not over ways to cut the rows" in more
