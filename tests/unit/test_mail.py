"""What mails say, and how they are written into files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest

from quickshop.adapters.mail.files import ConsoleNotifier, FileNotifier
from quickshop.adapters.mail.rendering import compose, render, safe_name
from quickshop.adapters.mail.smtp import find_html_renderer
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.money_text import money
from quickshop.domain.customers import Address
from quickshop.domain.errors import AdapterError, TransientError
from quickshop.domain.identity import Purpose
from quickshop.domain.identity.one_time import LIFETIMES
from quickshop.domain.money import Money
from quickshop.domain.notifications import MessageKind
from quickshop.ports.fulfillment import ShippedItem
from quickshop.ports.notifications import AccountMessage, Message
from tests.builders import AWKWARD
from tests.contracts.notifier import NotifierContract, Outbox
from tests.mails import SENDER, a_message, a_parcel_view, a_stock_message

ABOUT_ACCOUNTS = sorted(
    {
        MessageKind.CONFIRM_ACCOUNT,
        MessageKind.ACCOUNT_EXISTS,
        MessageKind.RESET_PASSWORD,
        MessageKind.INVITATION,
        MessageKind.PASSWORD_CHANGED,
        MessageKind.API_KEY_MADE,
        MessageKind.CHANGE_EMAIL,
        MessageKind.EMAIL_CHANGED,
    }
)
ABOUT_ORDERS = sorted(set(MessageKind) - {MessageKind.LOW_STOCK, *ABOUT_ACCOUNTS})
ATTACK = 'Ada\r\nBcc: all@example.com <b onload="x">&amp; </mj-text><mj-raw>'


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html_of(message: Message) -> str:
    html = render(message, to_html=find_html_renderer()).html
    assert html is not None
    return html


class Tags(HTMLParser):
    """Which elements a page has, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_confirmation_says_what_was_bought_for_how_much_and_where_it_goes() -> None:
    message = a_message()
    mail = render(message)

    assert mail.subject == f"Your order {message.order.number} at Bits & Bikes"
    for line in message.order.lines:
        assert f"{line.quantity} x {line.title} ({line.variant_title})" in mail.text
        assert line.sku in mail.text
    assert "Total: €39.98" in mail.text
    address = message.order.shipping_address
    for part in (address.name, address.line1, address.line2, address.city, address.postal_code):
        assert part is not None
        assert part in mail.text


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("card_declined", "the card was declined"),
        ("insufficient_funds", "the card has insufficient funds"),
        ("something_new", "the payment was refused"),
    ],
)
def test_a_failed_payment_is_explained_in_words(note: str, reason: str) -> None:
    mail = render(a_message(MessageKind.PAYMENT_FAILED, note=note))

    assert reason in mail.text
    assert note not in mail.text
    assert "€39.98" in mail.text


def test_a_cancellation_gives_its_reason_if_there_is_one() -> None:
    assert f"Reason: {AWKWARD}" in render(a_message(MessageKind.ORDER_CANCELED, note=AWKWARD)).text
    assert "Reason" not in render(a_message(MessageKind.ORDER_CANCELED, note=" ")).text


def test_a_parcel_is_told_with_what_it_holds_and_how_to_follow_it() -> None:
    message = a_message(MessageKind.ORDER_SHIPPED)
    mail = render(message)

    assert mail.subject == f"Your order {message.order.number} at Bits & Bikes is on its way"
    for said in ("Parcel 1 of your order", "1 x MUG-1", "Snail & Sons", "SN-0042"):
        assert said in mail.text
    url = "https://snail.example/track?id=SN-0042&lang=en"
    assert f"Track your parcel: {url}\n" in mail.text
    assert f'href="{url.replace("&", "&amp;")}"' in html_of(message)


def test_a_parcel_that_holds_all_is_called_the_order() -> None:
    message = a_message(MessageKind.ORDER_SHIPPED)
    all_of_it = tuple(ShippedItem(line.sku, line.quantity) for line in message.order.lines)
    whole = replace(message, parcel=a_parcel_view(lines=all_of_it))

    assert f"Your order {message.order.number} is on its way." in render(whole).text
    assert "Parcel 1 of" not in html_of(whole)


def test_what_nobody_knows_of_a_parcel_is_not_told() -> None:
    bare = a_parcel_view(carrier="", tracking_number="", tracking_url="")
    message = a_message(MessageKind.ORDER_SHIPPED, parcel=bare)

    for text in (render(message).text, html_of(message)):
        assert "Carrier" not in text
        assert "Track" not in text


@pytest.mark.parametrize("reason", ["", "the handle was broken"])
def test_a_refund_is_told_with_its_amount(reason: str) -> None:
    mail = render(a_message(MessageKind.ORDER_REFUNDED, note=reason))

    assert mail.subject.startswith("Refund for your order")
    assert "refunded €10.50 of your payment" in mail.text
    assert ("Reason: the handle was broken" in mail.text) is bool(reason)


@pytest.mark.parametrize("kind", ABOUT_ORDERS)
def test_text_and_html_say_the_same(kind: MessageKind) -> None:
    message = a_message(kind)
    page = Tags(html_of(message))
    said = " ".join(page.text.split())

    for line in message.order.lines:
        assert (
            f"{line.quantity} \N{MULTIPLICATION SIGN} {line.title} ({line.variant_title})" in said
        )
    assert "€39.98" in said
    assert message.order.number in said
    assert message.shop_name in said


@pytest.mark.parametrize("kind", ABOUT_ACCOUNTS)
@pytest.mark.parametrize("link", ["", "https://shop.example.com/page#token=THE-SECRET"])
def test_mails_about_accounts_say_the_same_in_text_and_html(kind: MessageKind, link: str) -> None:
    message = AccountMessage(
        kind=kind,
        recipient="ada@example.com",
        shop_name="Bikes <& Co>",
        key="k",
        secret="THE-SECRET",
        link=link,
    )
    mail = render(message, to_html=find_html_renderer())
    assert mail.html is not None
    said = " ".join(Tags(mail.html).text.split())

    assert "Bikes <& Co>" in mail.subject
    assert "Bikes <& Co>" in mail.text
    assert "Bikes <& Co>" in said
    assert (link or "THE-SECRET") in mail.text
    assert (link or "THE-SECRET") in mail.html
    assert "THE-SECRET" not in repr(message)


def test_who_is_invited_is_told_by_which_shop_what_for_and_for_how_long() -> None:
    link = "https://shop.example.com/reset-password#token=THE-SECRET"
    message = AccountMessage(
        kind=MessageKind.INVITATION,
        recipient="ada@example.com",
        shop_name="Bits & Bikes",
        key="k",
        secret="THE-SECRET",
        link=link,
    )
    mail = render(message)

    assert mail.subject == "Choose a password for your account at Bits & Bikes"
    assert "You have been invited to a staff account at Bits & Bikes." in mail.text
    assert "within an hour" in mail.text
    assert LIFETIMES[Purpose.RESET_PASSWORD] == timedelta(hours=1)
    assert f"    {link}\n" in mail.text
    for never in ("request to reset", "will not change"):
        assert never not in mail.text


@pytest.mark.parametrize("kind", ABOUT_ORDERS)
def test_nothing_that_people_wrote_is_markup_in_html(kind: MessageKind) -> None:
    message = a_message(kind)
    plain = Tags(html_of(message))
    wicked = "<script>x</script><mj-raw><img src=x onerror=x></mj-raw>]]>--><!-- {{ 7*7 }}"
    lines = tuple(
        replace(line, title=wicked, variant_title=wicked, sku=wicked)
        for line in message.order.lines
    )
    address = Address(name=wicked, line1=wicked, city=wicked, postal_code=wicked, country="PL")
    order = replace(message.order, lines=lines, shipping_address=address)
    parcel = a_parcel_view(carrier=wicked, tracking_number=wicked, lines=(ShippedItem(wicked, 1),))
    attacked = Tags(
        html_of(replace(message, order=order, note=wicked, shop_name=wicked, parcel=parcel))
    )

    assert attacked.names == plain.names
    assert attacked.attributes == plain.attributes
    assert wicked in attacked.text


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (3, "3 unreserved units are left."),
        (1, "1 unreserved unit is left."),
        (-2, "2 more units are reserved than in stock."),
    ],
)
def test_staff_are_told_what_runs_low_where(free: int, said: str) -> None:
    message = a_stock_message(free=free)
    mail = render(message, to_html=find_html_renderer())
    assert mail.subject == "MUG-1 is running low at attic"
    assert mail.html is not None
    for text in (mail.text, Tags(mail.html).text):
        assert said in text
        assert "Mug & Saucer (MUG-1) is running low at attic" in text
    wicked = "<script>x</script>]]>"
    attacked = a_stock_message(title=wicked, sku=wicked, location=wicked, shop_name=wicked)
    html = render(attacked, to_html=find_html_renderer()).html
    assert html is not None
    assert "script" not in Tags(html).names


def test_html_loads_nothing_from_elsewhere() -> None:
    html = html_of(a_message()).replace("http://www.w3.org/", "")

    assert "//" not in html.replace("<!--", "")
    assert "src=" not in html


def test_nothing_that_people_wrote_becomes_a_header() -> None:
    honest = compose(a_message(), sender=SENDER)
    message = a_message(shop_name=ATTACK)
    attacked = compose(
        replace(message, order=replace(message.order, number=ATTACK)), sender=SENDER
    )
    received = message_from_bytes(attacked.as_bytes(), policy=default)

    assert received.keys() == honest.keys()
    assert received["To"] == "ada@example.com"
    assert received["From"].addresses[0].addr_spec == SENDER


@pytest.mark.parametrize("recipient", ["", "a@b\r\nBcc: c@d", "two@a.example, more@b.example"])
def test_an_address_that_is_none_is_refused(recipient: str) -> None:
    with pytest.raises(AdapterError, match="address"):
        compose(a_message(recipient=recipient), sender=SENDER)


def test_an_address_may_hold_any_letters() -> None:
    mail = compose(a_message(recipient="zoë@example.com"), sender=SENDER)

    assert message_from_bytes(mail.as_bytes(), policy=default)["To"] == "zoë@example.com"


def test_every_try_sends_the_same_message_id_and_every_message_another() -> None:
    message = a_message()

    first, again = compose(message, sender=SENDER), compose(message, sender=SENDER)

    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"] != compose(a_message(), sender=SENDER)["Message-ID"]


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(123_456, "USD"), "$1,234.56"),
        (Money(-5, "USD"), "-$0.05"),
        (Money(1999, "EUR"), "€19.99"),
        (Money(1999, "JPY"), "¥1,999"),
        (Money(1999, "KWD"), "KWD\N{NO-BREAK SPACE}1.999"),
        (Money(1999, "IQD"), "IQD\N{NO-BREAK SPACE}1.999"),  # in cash nobody has fils
    ],
)
def test_amounts_lose_no_decimal(amount: Money, written: str) -> None:
    assert money(amount) == written


def test_mails_are_written_one_to_a_file(tmp_path: Path) -> None:
    notifier = FileNotifier(tmp_path / "new" / "mail", sender=SENDER)
    first, second = a_message(), a_message(MessageKind.ORDER_CANCELED)
    for message in (first, second, first):
        notifier.send(message)

    files = {path.name: path for path in (tmp_path / "new" / "mail").iterdir()}
    assert files.keys() == {f"{first.key}.eml", f"{second.key}.eml"}
    mail = message_from_bytes(files[f"{first.key}.eml"].read_bytes(), policy=default)
    assert mail["To"] == "ada@example.com"
    assert text_of(mail) == render(first).text


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", "", ".hidden", "ü", "x" * 300, "a\nb"])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    FileNotifier(tmp_path / "mail").send(a_message(key=key))

    (written,) = tmp_path.rglob("*.eml")
    assert written.parent == tmp_path / "mail"


def test_different_keys_have_different_names() -> None:
    keys = ["a/b", "a_b", "a b", "a.b", "A.b", "", "x" * 300, "x" * 301]

    assert len({safe_name(key) for key in keys}) == len(keys)


def test_a_folder_that_cannot_be_written_to_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(TransientError, match="mail"):
        FileNotifier(tmp_path / "mail").send(a_message())


def test_a_mail_that_could_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    message = a_message()
    (tmp_path / f"{message.key}.eml").mkdir()  # in the way

    with pytest.raises(TransientError):
        FileNotifier(tmp_path).send(message)
    assert [path.name for path in tmp_path.iterdir()] == [f"{message.key}.eml"]


class TestMemory(NotifierContract):
    @pytest.fixture
    def outbox(self) -> Outbox:
        notifier = MemoryNotifier()
        return Outbox(notifier, lambda: len(notifier.sent))


class TestFiles(NotifierContract):
    @pytest.fixture
    def outbox(self, tmp_path: Path) -> Outbox:
        folder = tmp_path / "new" / "mail"
        return Outbox(FileNotifier(folder), lambda: len(list(tmp_path.rglob("*.*"))))


class TestTerminal(NotifierContract):
    @pytest.fixture
    def outbox(self) -> Outbox:
        stream = StringIO()
        return Outbox(ConsoleNotifier(stream), lambda: stream.getvalue().count("To: "))


def test_a_place_where_mails_cannot_go_is_found_by_the_check(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(AdapterError, match="QUICKSHOP_MAIL_DIR must name"):
        FileNotifier(tmp_path / "mail" / "today").check_connection()

    stream = StringIO()
    stream.close()
    with pytest.raises(AdapterError, match="closed"):
        ConsoleNotifier(stream).check_connection()


def test_a_mail_can_be_read_on_a_terminal() -> None:
    stream = StringIO()
    message = a_message()
    ConsoleNotifier(stream).send(message)

    assert stream.getvalue().startswith("To: ada@example.com\nSubject: Your order")
    assert render(message).text in stream.getvalue()
