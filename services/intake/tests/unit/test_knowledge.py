"""Words of a text, guesses at misspelt ones, and the ranking of articles."""

from typing import Any

import pytest

from intake.knowledge.domain import Article
from intake.knowledge.ranking import Found, rank, scores
from intake.knowledge.tokenizer import meant_by, pieces, unknown_runs, weights, words

VOCABULARY = ["机顶盒", "图像", "信号", "remote", "control", "receiver", "signal"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The REMOTE control", ["remote", "control"]),
        ("ＲＥＭＯＴＥ", ["remote"]),
        ("ｒｏｕｔｅｒ　ＷＩＦＩ", ["router", "wifi"]),
        ("no signal!!!", ["no", "signal"]),
        ("的了", []),
        ("", []),
        ("x" * 60, ["x" * 40]),
    ],
)
def test_words_are_plain_in_their_order_and_without_stop_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_long_chinese_word_brings_the_words_inside_it_and_a_piece_stands_alone() -> None:
    assert {"机顶盒", "机顶"} & set(words("机顶盒")) >= {"机顶盒"}
    assert pieces("机顶盒没有图像")[0] == "机顶盒"
    assert "没有" in words("机顶盒没有图像")


def test_unknown_pieces_are_joined_with_chinese_neighbours_only() -> None:
    assert unknown_runs(["机", "定", "盒"], []) == ["机", "机定", "机定盒", "定", "定盒", "盒"]
    assert unknown_runs(["remot", "control"], ["control"]) == ["remot"]
    assert unknown_runs(["remote"], ["remote"]) == []


@pytest.mark.parametrize(
    ("word", "meant"),
    [("机定盒", "机顶盒"), ("突像", "图像"), ("remot", "remote"), ("reciever", "receiver"), ("singal", "signal")],
)
def test_a_misspelt_word_is_recognised_by_its_sound_or_its_letters(word: str, meant: str) -> None:
    guess, *_ = meant_by(word, VOCABULARY)
    assert guess.word == meant
    assert 0 < guess.sureness < 1


@pytest.mark.parametrize("word", ["zz", "telephone", "水"])
def test_a_word_unlike_all_others_is_not_guessed_at(word: str) -> None:
    assert meant_by(word, VOCABULARY) == []


def test_keywords_count_more_than_the_title_and_the_title_more_than_the_body() -> None:
    found = weights("remote", "signal", ["receiver"])
    assert found["receiver"] > found["remote"] > found["signal"]
    assert weights("", "signal " * 500, [])["signal"] == 100


def article(article_id: str, **overrides: Any) -> Article:
    return Article(id=article_id, title="t", body="b", **overrides)


def ranked(found: dict[str, dict[str, int]], *articles: Article, demand_type: str | None = None) -> list[Found]:
    sureness = dict.fromkeys(found, 1.0)
    return rank(articles, scores(found, sureness, 10), found, sureness, demand_type=demand_type)


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    found = {"rare": {"a": 4}, "common": {"b": 4, "c": 4, "d": 4}}
    assert ranked(found, article("b"), article("a"))[0].article.id == "a"


def test_a_guessed_word_counts_less_than_one_that_was_typed() -> None:
    found = {"typed": {"a": 4}, "guessed": {"b": 4}}
    scored = scores(found, {"typed": 1.0, "guessed": 0.6}, 10)
    assert scored["b"] == pytest.approx(scored["a"] * 0.6)


def test_the_demand_type_raises_an_article_and_uses_decide_between_equals() -> None:
    found = {"word": {"a": 4, "b": 4}}
    first, second = ranked(found, article("a"), article("b", demand_type="test"), demand_type="test")
    assert (first.article.id, first.score > second.score) == ("b", True)
    assert ranked(found, article("a"), article("b", use_count=3))[0].article.id == "b"
    assert [result.article.id for result in ranked(found, article("b"), article("a"))] == ["a", "b"]


def test_the_words_that_were_found_are_listed_the_surest_first() -> None:
    found = {"guessed": {"a": 1}, "typed": {"a": 1}, "other": {"b": 1}}
    sureness = {"guessed": 0.5, "typed": 1.0, "other": 1.0}
    (result,) = rank([article("a")], scores(found, sureness, 10), found, sureness, demand_type=None)
    assert result.words == ("typed", "guessed")
