"""Thirty texts that have broken other people's software."""

from __future__ import annotations

from typing import Final

PAYLOADS: Final = {
    "sql": "' OR '1'='1' --",
    "sql union": "1); DROP TABLE orders; SELECT pg_sleep(5)--",
    "sql like": "%_\\%' ESCAPE '\\",
    "nosql": '{"$gt": "", "$where": "sleep(5000)"}',
    "ldap": "*)(uid=*))(|(uid=*",
    "template": "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "python format": "{0.__class__.__init__.__globals__}%(password)s%s%n",
    "jinja": "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "jndi": "${jndi:ldap://127.0.0.1:1/a}",
    "shell": "$(touch /tmp/pwned)`id`; id | cat && id",
    "path": "../../../../../../etc/passwd",
    "encoded path": "..%2f..%2f..%2fetc%2fpasswd",
    "windows path": "..\\..\\windows\\win.ini::$DATA",
    "nul": "admin\0.html",
    "encoded nul": "admin%00.html",
    "crlf": "x\r\nSet-Cookie: evil=1\r\n\r\n<p>",
    "encoded crlf": "x%0d%0aSet-Cookie:%20evil=1",
    "mail header": "a@example.com\nBcc: victim@example.com",
    "line separator": "a\u2028Bcc: victim@example.com\u2029\x85x",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "script in attribute": '" onmouseover="alert(1)" x=\'javascript:alert(1)',
    "xxe": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "csv formula": "=cmd|' /C calc'!A0",
    "csv formula at": '@SUM(1+1)*HYPERLINK("http://127.0.0.1:1")',
    "homoglyphs": "аdmin@ехample.com",  # noqa: RUF001 - Cyrillic letters that look Latin
    "right to left": "\u202egnp.exe\u202c\u2066x\u2069",
    "zalgo": "Z" + "\u0300\u0301\u0302\u0303" * 200,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 20,
    "long": "A" * 65_536,
    "much unicode": "\U0001f600ß\u0130ﬃ" * 4_000,
    "half a character": "\ud800x\udfff",
    "redos mail": "a" * 2_000 + "@" + "a." * 2_000 + "!",
    "redos words": "-".join(["a"] * 4_000) + "!",
    "redos cursor": "ey" + "JhIjpbW1tb" * 190,
    "numbers": "1e400",
    "not a number": "NaN",
    "prototype": '{"__proto__": {"admin": true}}',
}
"""By what they are meant for."""

EXTRA_FIELDS: Final = {
    "id": "00000000-0000-0000-0000-000000000001",
    "role": "admin",
    "roles": ["admin"],
    "is_admin": True,
    "permissions": ["users:write"],
    "price": {"amount": 1, "currency": "USD"},
    "unit_price": {"amount": 1, "currency": "USD"},
    "total": {"amount": 1, "currency": "USD"},
    "subtotal": 1,
    "discount": 100,
    "status": "paid",
    "customer_id": "00000000-0000-0000-0000-000000000001",
    "account_id": "00000000-0000-0000-0000-000000000001",
    "email_verified": True,
    "token": "0" * 43,
    "token_digest": "0" * 64,
    "password_hash": "$2b$04$" + "a" * 53,
    "version": 99,
    "created_at": "2000-01-01T00:00:00Z",
    "placed_at": "2000-01-01T00:00:00Z",
    "captured": 1,
    "__class__": "Order",
    "constructor": {"prototype": {}},
}
"""Fields that no request may set."""
