"""What is no credential of anybody's, and the one answer that all of it gets."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from quickshop.adapters.security.tokens import JwtAccessTokens
from quickshop.domain.customers import CustomerId
from quickshop.domain.identity import KeyRing, Permission
from tests.builders import NOW
from tests.people import (
    PASSWORD,
    Person,
    Town,
    an_api_key,
    log_in,
    mailed_secret,
    open_town,
    signed_in,
)

SECRET: Final = "k3y-0f_thE.sh0p!" * 4
OLD: Final = "an0ther-0ne?yes!" * 4
KEYS: Final = KeyRing.parse(f"2026-11:{SECRET},2026-10:{OLD}", "keys")
Headers = list[tuple[str, str | bytes]]
Forgery = Callable[[Town, Person], Headers]

ABSENT: Final = object()


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with open_town(access_tokens=JwtAccessTokens(KEYS)) as town:
        yield town


@pytest.fixture(scope="module")
def reference(town: Town) -> bytes:
    """What somebody is told who brings nothing."""
    answer = town.web.client.get("/v1/me")
    assert answer.status_code == 401
    return answer.content


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def sign(head: str, body: str, secret: str = SECRET, algorithm: str = "sha256") -> str:
    message = f"{b64(head.encode())}.{b64(body.encode())}"
    return f"{message}.{b64(hmac.digest(secret.encode(), message.encode(), algorithm))}"


def compact(facts: dict[str, Any]) -> str:
    return (
        json.dumps({name: fact for name, fact in facts.items() if fact is not ABSENT})
        .replace(": ", ":")
        .replace(", ", ",")
    )


def header_of(**changes: Any) -> str:
    return compact({"alg": "HS256", "kid": "2026-11", "typ": "at+jwt"} | changes)


def claims_of(town: Town, person: Person, **changes: Any) -> str:
    now = int(town.world.clock.now().timestamp())
    right = {
        "iss": "quickshop",
        "aud": "quickshop-api",
        "sub": str(person.id),
        "sid": str(person.session_id),
        "iat": now,
        "exp": now + 900,
        "jti": uuid4().hex,
    }
    moved = {name: value(now) if callable(value) else value for name, value in changes.items()}
    return compact(right | moved)


def bearing(token: str | bytes) -> Headers:
    value = token.encode() if isinstance(token, str) else token
    return [("Authorization", b"Bearer " + value)]


def headed(secret: str = SECRET, algorithm: str = "sha256", **changes: Any) -> Forgery:
    return lambda town, person: bearing(
        sign(header_of(**changes), claims_of(town, person), secret, algorithm)
    )


def raw_header(head: str) -> Forgery:
    return lambda town, person: bearing(sign(head, claims_of(town, person)))


def claiming(**changes: Any) -> Forgery:
    return lambda town, person: bearing(sign(header_of(), claims_of(town, person, **changes)))


def spoiled(spoil: Callable[[str], str]) -> Forgery:
    """A token that the shop issued, changed on its way."""
    return lambda _town, person: bearing(spoil(person.access_token))


def unsigned(town: Town, person: Person) -> Headers:
    token = sign(header_of(alg="none"), claims_of(town, person))
    return bearing(token.rpartition(".")[0] + ".")


def other_spelling(token: str) -> str:
    """The same bytes in another text: of the last character only four bits count."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def in_parts(change: Callable[[list[str]], list[str]]) -> Forgery:
    return spoiled(lambda token: ".".join(change(token.split("."))))


def of_another(town: Town, person: Person) -> Headers:
    other = signed_in(town.web)
    return bearing(sign(header_of(), claims_of(town, person, sub=str(other.id))))


def in_another_session(town: Town, person: Person) -> Headers:
    other = signed_in(town.web)
    return bearing(sign(header_of(), claims_of(town, person, sid=str(other.session_id))))


def twice(_town: Town, person: Person) -> Headers:
    return bearing(person.access_token) * 2


def one_time(town: Town, person: Person) -> Headers:
    town.web.shop.accounts.request_password_reset(email=person.email)
    town.web.shop.run_jobs()
    return bearing(mailed_secret(town.web, person.email))


def key(change: Callable[[str], str]) -> Forgery:
    def forge(town: Town, person: Person) -> Headers:
        town.web.shop.staff.grant(person.id, "order_manager")
        return bearing(change(an_api_key(town.web, person, Permission.ORDERS_READ)))

    return forge


def revoked_key(town: Town, person: Person) -> Headers:
    made = town.web.shop.staff.make_api_key(
        person.id, name="a program", scopes=[Permission.ORDERS_READ]
    )
    town.web.shop.staff.revoke_api_key(made.id)
    return bearing(made.secret)


def expired_key(town: Town, person: Person) -> Headers:
    soon = town.world.clock.now() + timedelta(seconds=1)
    secret = an_api_key(town.web, person, Permission.ORDERS_READ, expires_at=soon)
    town.wait(1)
    return bearing(secret)


def key_of_disabled(town: Town, person: Person) -> Headers:
    secret = an_api_key(town.web, person, Permission.ORDERS_READ)
    town.web.shop.staff.disable(person.id)
    return bearing(secret)


def expired_session(town: Town, person: Person) -> Headers:
    town.wait(30 * 86_400)
    claims = claims_of(town, person)
    return bearing(sign(header_of(), claims))


def expired_token(town: Town, person: Person) -> Headers:
    town.wait(900)
    return bearing(person.access_token)


def ended(town: Town, person: Person) -> Headers:
    town.web.shop.accounts.end_session(person.id, person.session_id)
    return bearing(person.access_token)


def disabled(town: Town, person: Person) -> Headers:
    town.web.shop.staff.disable(person.id)
    return bearing(person.access_token)


def erased(town: Town, person: Person) -> Headers:
    town.web.shop.customers.erase_own(CustomerId(person.id), password=PASSWORD)
    return bearing(person.access_token)


def with_other_password(town: Town, person: Person) -> Headers:
    town.web.shop.accounts.change_password(person.id, current=PASSWORD, new="another horse")
    return bearing(person.access_token)


FORGERIES: Final[dict[str, Forgery]] = {
    "alg none, unsigned": unsigned,
    "alg None": headed(alg="None"),
    "alg none, signed": headed(alg="none"),
    "alg HS384": headed(alg="HS384", algorithm="sha384"),
    "alg HS512": headed(alg="HS512", algorithm="sha512"),
    "alg RS256": headed(alg="RS256"),
    "alg in lower case": headed(alg="hs256"),
    "alg absent": headed(alg=ABSENT),
    "alg a list": headed(alg=["HS256"]),
    "another key": headed(secret="x" * 64),
    "no key": headed(secret=""),
    "the key of another kid": headed(kid="2026-10"),
    "kid unknown": headed(kid="2026-12"),
    "kid absent": headed(kid=ABSENT),
    "kid null": headed(kid=None),
    "kid a number": headed(kid=2026),
    "kid a path": headed(kid="../../../dev/null", secret=""),
    "kid of SQL": headed(kid="x' UNION SELECT 'key'--"),
    "kid with a line end": headed(kid="2026-11\n"),
    "kid twice": raw_header('{"alg":"HS256","kid":"2026-12","kid":"2026-11","typ":"at+jwt"}'),
    "typ JWT": headed(typ="JWT"),
    "typ of refresh": headed(typ="rt+jwt"),
    "typ absent": headed(typ=ABSENT),
    "crit": headed(crit=["exp"]),
    "b64 false": headed(b64=False, crit=["b64"]),
    "jku": headed(jku="https://attacker.example/keys"),
    "jwk": headed(jwk={"kty": "oct", "k": "eA"}),
    "x5u": headed(x5u="https://attacker.example/cert"),
    "zip": headed(zip="DEF"),
    "header a list": raw_header("[]"),
    "header no JSON": raw_header("{"),
    **{
        f"{name} {what}": claiming(**{name: value})
        for name in ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
        for what, value in {
            "absent": ABSENT,
            "null": None,
            "an object": {"a": 1},
            "true": True,
            "a float": 1e300,
        }.items()
    },
    "iss another": claiming(iss="elsewhere"),
    "iss a list": claiming(iss=["quickshop"]),
    "aud another": claiming(aud="another"),
    "aud a list": claiming(aud=["quickshop-api"]),
    "aud a list of several": claiming(aud=["quickshop-api", "another"]),
    "sub no UUID": claiming(sub="admin"),
    "sid no UUID": claiming(sid="1 OR 1=1"),
    "sid nobody's": claiming(sid=str(uuid4())),
    "sub of another": of_another,
    "sid of another": in_another_session,
    "iat text": claiming(iat=str),
    "exp text": claiming(exp=lambda now: str(now + 60)),
    "exp a float": claiming(exp=lambda now: now + 60.5),
    "exp huge": claiming(exp=10**30),
    "exp negative": claiming(exp=-(10**30), iat=-(10**30) - 60),
    "exp past": claiming(iat=lambda now: now - 900, exp=lambda now: now),
    "exp too late": claiming(exp=lambda now: now + 901),
    "exp before iat": claiming(iat=lambda now: now + 1, exp=lambda now: now),
    "iat in the future": claiming(iat=lambda now: now + 60, exp=lambda now: now + 120),
    "nbf in the future": claiming(nbf=lambda now: now + 600),
    "a claim more": claiming(admin=True),
    "claims a list": lambda _town, _person: bearing(sign(header_of(), "[]")),
    "claims no JSON": lambda _town, _person: bearing(sign(header_of(), "{")),
    "truncated": spoiled(lambda token: token[:-1]),
    "without signature": in_parts(lambda parts: [*parts[:2], ""]),
    "two parts": in_parts(lambda parts: parts[:2]),
    "four parts": in_parts(lambda parts: [*parts, parts[2]]),
    "a dot more": spoiled(lambda token: token + "."),
    "a space in it": spoiled(lambda token: token.replace(".", ". ", 1)),
    "a tab at its end": spoiled(lambda token: token + "\tx"),
    "in quotes": spoiled(lambda token: f'"{token}"'),
    "another spelling of its bytes": spoiled(other_spelling),
    "padded": spoiled(lambda token: token + "="),
    "padded in the middle": in_parts(lambda parts: [parts[0], parts[1] + "==", parts[2]]),
    "a letter in another case": in_parts(lambda parts: [parts[0], parts[1].swapcase(), parts[2]]),
    "not ASCII": spoiled(lambda token: token + "é"),
    "no UTF-8": lambda _town, person: bearing(person.access_token.encode() + b"\xff"),
    "10 kB": spoiled(lambda token: token + "x" * 10_000),
    "10 kB of claims": claiming(iss="quickshop" + "x" * 10_000),
    "a refresh token": lambda _town, person: bearing(person.refresh_token),
    "a one-time token": one_time,
    "a key cut off": key(lambda secret: secret[:-1]),
    "a key and more": key(lambda secret: secret + "x"),
    "a key in another case": key(str.upper),
    "a key without its prefix": key(lambda secret: secret.removeprefix("qsk_")),
    "a prefix only": key(lambda _secret: "qsk_"),
    "a key revoked": revoked_key,
    "a key expired": expired_key,
    "a key of a disabled account": key_of_disabled,
    "nothing": lambda _town, _person: [("Authorization", "")],
    "a scheme only": lambda _town, _person: [("Authorization", "Bearer")],
    "no scheme": lambda _town, person: [("Authorization", person.access_token)],
    "Basic": lambda _town, person: [("Authorization", f"Basic {person.access_token}")],
    "two headers": twice,
    "two tokens": lambda _town, person: bearing(f"{person.access_token}, {person.access_token}"),
    "an empty cookie": lambda _town, _person: [("Cookie", "__Host-quickshop-access=")],
    "a cookie that is none": lambda _town, _person: [("Cookie", "__Host-quickshop-access=x")],
    "a refresh cookie only": lambda _town, person: [
        ("Cookie", f"__Host-quickshop-refresh={person.refresh_token}")
    ],
    "a session ended": ended,
    "a session expired": expired_session,
    "a token expired": expired_token,
    "an account disabled": disabled,
    "an account erased": erased,
    "a password changed": with_other_password,
}


@pytest.mark.parametrize("what", FORGERIES)
def test_what_is_no_credential_gets_the_one_answer(
    town: Town, reference: bytes, what: str
) -> None:
    person = signed_in(town.web)
    headers = FORGERIES[what](town, person)
    for path in ("/v1/me", "/v1/orders"):
        answer = town.web.client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (401, reference)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "set-cookie" not in answer.headers


def test_a_forgery_is_none_where_its_session_is_known(town: Town, reference: bytes) -> None:
    person = signed_in(town.web)
    assert town.web.client.get("/v1/me", headers=person.headers).status_code == 200
    for forge in (of_another, headed(secret="x" * 64), claiming(nbf=0), ended):
        headers = forge(town, person)
        if forge is ended:
            town.wait(2)
        answer = town.web.client.get("/v1/me", headers=headers)
        assert (answer.status_code, answer.content) == (401, reference)


@pytest.mark.parametrize(
    "forge",
    [
        claiming(),
        claiming(iat=lambda now: now - 60, exp=lambda now: now + 1),
        claiming(iat=lambda now: now + 5, exp=lambda now: now + 60),
        headed(kid="2026-10", secret=OLD),
        lambda _town, person: bearing(person.access_token),
        lambda _town, person: [("authorization", f"bEARER   {person.access_token}")],
        lambda _town, person: [("Cookie", f"a=b; __Host-quickshop-access={person.access_token}")],
    ],
)
def test_only_what_is_wrong_with_it_makes_a_forgery_one(town: Town, forge: Forgery) -> None:
    person = signed_in(town.web)
    answer = town.web.client.get("/v1/me", headers=forge(town, person))
    assert (answer.status_code, answer.json()["id"]) == (200, str(person.id))


def test_a_key_is_no_way_into_an_account(town: Town, reference: bytes) -> None:
    person = signed_in(town.web, roles=("order_manager",))
    headers = key(str)(town, person)
    answer = town.web.client.get("/v1/me", headers=headers)
    assert (answer.status_code, answer.content) == (401, reference)
    assert town.web.client.get("/v1/orders", headers=headers).status_code == 200


def test_another_device_is_not_signed_out_with_this_one(town: Town) -> None:
    person = signed_in(town.web)
    phone = log_in(town.web, person.email)
    ended(town, person)
    assert town.web.client.get("/v1/me", headers=phone.headers).status_code == 200
    assert town.world.clock.now() >= NOW
