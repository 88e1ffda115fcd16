"""The product's own templates say all they should, in both languages; a shop's cannot do harm."""

from __future__ import annotations

from typing import Any

import pytest

from app.notifications import versions
from app.notifications.samples import SAMPLES
from app.notifications.templating import TemplateBroken, Words, check, render
from app.notifications.versions import LANGUAGES

EVERY = [(kind, language) for kind in sorted(SAMPLES) for language in LANGUAGES]
FACTS = SAMPLES["pickup.ready"][0]
TRIED = SAMPLES["pickup.ready"]


def letter(kind: str, language: str, number: int = 0, **over: Any) -> Words:
    return render(versions.shipped(kind, language), {**SAMPLES[kind][number], **over})


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_kind_is_whole_in_both_languages(kind: str, language: str) -> None:
    check(versions.shipped(kind, language), SAMPLES[kind])
    for number in range(len(SAMPLES[kind])):
        made = letter(kind, language, number)
        for part in (made.subject, made.text, made.short):
            assert part.strip()
            assert not any(word in part for word in ("{{", "{%", "Undefined", "None", "[]"))
        assert "\n" not in made.subject
        assert "\n" not in made.short
        assert "\n\n\n" not in made.text
        assert len(made.subject) <= 100
        assert len(made.short) <= 200
        assert "渋谷店" in made.subject
        assert made.text.startswith(("山田花子 様\n", "Dear 山田花子,\n"))


@pytest.mark.parametrize(("kind", "language"), [case for case in EVERY if case[0] != "waitlist.available"])
def test_every_notice_of_a_pickup_names_its_order(kind: str, language: str) -> None:
    made = letter(kind, language)
    assert all("H7K2M9QX" in part for part in (made.subject, made.text, made.short))


READY = [
    "山田花子 様", "H7K2M9QX", "渋谷店", "〒150-0002 東京都渋谷区渋谷1-1-1", "電話: 03-1234-5678",
    "営業時間: 10:00〜21:00", "地図: https://maps.example/shibuya", "■ 受取期限\n11月29日(日) 21:00",
    "https://shop.example/p/SAMPLE", "https://shop.example/p/SAMPLE/qr.svg", "受取番号: 7F4QD", "暗証番号: 123456",
    "■ お持ちいただくもの", "■ お支払い状況\nお支払い済み",
    "・TEE-NVY-M Tシャツ (ネイビー / M) × 2点 3,980円(税込)\n", "・TEA-01 ほうじ茶 × 1点 540円(税込) ※\n",
    "※印は軽減税率対象商品です。", "■ 代理の方のお受け取り", "■ 受取期限を過ぎた場合", "■ 変更・キャンセル",
    "■ 返品について\nお受け取りから8日以内、未使用の商品に限り返品を承ります。", "■ お問い合わせ", "送信専用",
]  # fmt: skip


def test_the_ready_mail_says_all_that_customers_expect() -> None:
    made = letter("pickup.ready", "ja")
    assert made.subject == "【渋谷店】ご注文商品の受取準備が完了しました(注文番号 H7K2M9QX)"
    assert [words for words in READY if words not in made.text] == []


def test_the_ready_mail_names_what_is_to_be_paid_at_the_store() -> None:
    made = letter("pickup.ready", "ja", 1)
    assert "■ お支払い状況\n店頭でお支払いください: 4,520円(税込)" in made.text
    assert "・お支払いに使う現金・カードなど" in made.text
    assert "■ 返品について" not in made.text
    assert "JPY 4,520" in letter("pickup.ready", "en", 1).text


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_whoever_gave_no_name_is_addressed_as_one_addresses_a_customer(kind: str) -> None:
    assert letter(kind, "ja", name="").text.startswith("お客様\n")


@pytest.mark.parametrize("kind", ["pickup.short", "pickup.choose"])
def test_a_question_says_until_when_and_what_silence_means(kind: str) -> None:
    asked, open_ended = letter(kind, "ja", 0), letter(kind, "ja", 1)
    assert "11月23日(月) 15:10までに今後のご希望をお選びください。期限までにお返事がない場合は" in asked.text
    assert "11月23日(月) 15:10までにご希望をお選びください。" in asked.short
    assert "お返事をいただくまで、ほかの方法に変えることはありません。" in open_ended.text
    assert "Please tell us by 11月23日(月) 15:10 what you would like" in letter(kind, "en", 0).text
    assert "Nothing is changed until you answer." in letter(kind, "en", 1).text


def test_a_reminder_knows_the_last_day() -> None:
    assert "受取期限は明日です" in letter("pickup.reminder", "ja", 0).subject
    assert "ご注文商品をお預かりしています" in letter("pickup.reminder", "ja", 1).subject


def test_a_refund_is_named_only_where_there_is_one() -> None:
    assert "4,520円(税込)をお支払い方法に応じて返金いたします" in letter("pickup.cancelled", "ja", 0).text
    assert "返金" not in letter("pickup.cancelled", "ja", 1).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["山田\nBcc: everybody@example.jp", "山田\r\nX: y", "a\u2028b", "\x0b\x0c", ""])
def test_a_name_cannot_add_lines_to_the_subject(language: str, name: str) -> None:
    words = Words("{{ name }} {{ store.name }}", "{{ name }}", "{{ name }}")
    made = render(words, {**FACTS, "name": name})
    assert made.subject.splitlines() in ([made.subject], [])
    assert made.subject.endswith("渋谷店")
    assert len(letter("pickup.ready", language, name=name).subject.splitlines()) == 1


def test_markup_in_facts_stays_text() -> None:
    assert letter("pickup.ready", "ja", name="<b>{{ pin }}</b> & 'x'").text.startswith("<b>{{ pin }}</b> & 'x' 様")


@pytest.mark.parametrize("missing", ["store", "order_number", "deadline", "lines"])
def test_a_missing_fact_is_an_error_and_no_gap(missing: str) -> None:
    facts = {name: fact for name, fact in FACTS.items() if name != missing}
    with pytest.raises(TemplateBroken):
        render(versions.shipped("pickup.ready", "ja"), facts)


BROKEN = [
    ("{{ name", "template-syntax", ""),
    ("{% if name %}", "template-syntax", ""),
    ("{% for line in lines %}{{ line.sku }}", "template-syntax", ""),
    ("{{ name | }}", "template-syntax", ""),
    ("{{ name|nothing }}", "template-word", "nothing"),
    ("{% include 'secrets' %}", "template-word", "include"),
    ("{% import 'os' as os %}x", "template-word", "import"),
    ("{% set x = name %}{{ x }}", "template-word", "assign"),
    ("{% macro m() %}{% endmacro %}x", "template-word", "macro"),
    ("{{ name.upper() }}", "template-word", "call"),
    ("{{ range(9) }}", "template-word", "call"),
    ("{{ name ~ name }}", "template-word", "concat"),
    ("{{ name * 1000000000 }}", "template-word", "mul"),
    ("{{ amount_due + 1 }}", "template-word", "add"),
    ("{{ '%s' % name }}", "template-word", "mod"),
    ("{{ lines[0].sku }}", "template-word", "getitem"),
    ("{{ name|upper }}", "template-word", "upper"),
    ("{{ name|replace('a', 'b') }}", "template-word", "replace"),
    ("{{ name.__class__ }}", "template-fact", "name.__class__"),
    ("{{ namae }}", "template-fact", "namae"),
    ("{{ store.owner }}", "template-fact", "store.owner"),
    ("{{ ''.join }}", "template-fact", "join"),
    ("{% if paid %}x{% else %}{{ storr.name }}{% endif %}", "template-fact", "storr.name"),
    ("{% for line in lines %}{{ line.colour }}{% endfor %}", "template-fact", "line.colour"),
    ("{% for line in lines %}{{ loop.nothing }}{% endfor %}", "template-fact", "loop.nothing"),
    ("{% for line in linez %}x{% endfor %}", "template-fact", "linez"),
    ("{% for a, b in lines %}x{% endfor %}", "template-word", "tuple"),
    ("{% for a in lines %}{% for b in lines %}{% for c in lines %}x{% endfor %}{% endfor %}{% endfor %}",
     "template-fact", "for"),
    ("{% for o in options recursive %}x{% endfor %}", "template-fact", "for"),
    ("{% if day_before %}x{% endif %}", "template-fact", "day_before"),
    ("{% if not paid %}x{% endif %}", "template-empty", ""),
    ("{{ name|yen }}", "template-broken", ""),
    ("{{ reason }}", "template-empty", ""),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code", "word"), BROKEN)
@pytest.mark.parametrize("part", ["subject", "text", "short"])
def test_what_a_template_may_not_do(part: str, source: str, code: str, word: str) -> None:
    words = {"subject": "a", "text": "b", "short": "c", part: source}
    with pytest.raises(TemplateBroken) as caught:
        check(Words(**words), TRIED)
    assert (caught.value.part, caught.value.code, caught.value.word) == (part, code, word)


def test_what_a_template_may_do() -> None:
    source = (
        "{% for line in lines if line.reduced %}{{ loop.index }} {{ line.name }}{% else %}-{% endfor %} "
        "{{ amount_due|yen }} {{ options|join('、') }} {{ lines|length }} {{ 'a' if paid and not reason else 'b' }} "
        "{% if amount_due > 1000 or refund_total == 4520 %}c{% elif paid %}d{% endif %}{# nobody reads this #}"
    )
    check(Words("a", source, "c"), TRIED)
    assert render(Words("a", source, "c"), FACTS).text == (
        "1 ほうじ茶 0 別の店舗で受け取る、ご自宅へ配送する、ご注文をキャンセルする 2 b c\n"
    )
