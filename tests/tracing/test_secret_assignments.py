"""What stands behind a sensitive name is masked, and nothing beside it."""

from __future__ import annotations

import pytest

from smoltrace.tracing.redaction import Redactor

TOLD = [
    ("password=hunter2&user=ada", "password=[redacted:password]&user=ada"),
    ("?token=a1B2c3D4e5F6g7H8&x=1", "?token=[redacted:token]&x=1"),
    ("DB_PASSWORD=swordfish\nUSER=ada", "DB_PASSWORD=[redacted:password]\nUSER=ada"),
    ("POSTGRES_PASSWORD: swordfish\nUSER: ada", "POSTGRES_PASSWORD: [redacted:password]\nUSER: ada"),
    ("run --password swordfish --port 80", "run --password [redacted:password] --port 80"),
    ("run --api-key=abcd1234 -v", "run --api-key=[redacted:api-key] -v"),
    ('["--token", "a1B2c3D4e5F6g7H8", "-v"]', '["--token", "[redacted:token]", "-v"]'),
    ('{"password": "a\\"b", "n": 1}', '{"password": "[redacted:password]", "n": 1}'),
    ("{'password': 'hunter2', 'n': 1}", "{'password': '[redacted:password]', 'n': 1}"),
    ("password: str = 'hunter2'", "password: str = '[redacted:password]'"),
    ('os.environ["API_KEY"] = "abcd1234"', 'os.environ["API_KEY"] = "[redacted:api-key]"'),
    ("my API key is abc123def, thanks", "my API key is [redacted:api-key], thanks"),
    ("The password was: hunter22.", "The password was: [redacted:password]."),
    ("<password>hunter2</password>", "<password>[redacted:password]</password>"),
    ('{"name": "X-Api-Key", "value": "abcd1234"}', '{"name": "X-Api-Key", "value": "[redacted:api-key]"}'),
    (
        '{"key":"password","value":{"stringValue":"hunter2"}}',
        '{"key":"password","value":{"stringValue":"[redacted:password]"}}',
    ),
    ("Authorization: Basic YTpiYzEyMw==", "Authorization: Basic [redacted:authorization]"),
    ("authorization: abcd1234efgh", "authorization: [redacted:authorization]"),
    (
        'Authorization: Digest username="a", response="b1"\nHost: h',
        "Authorization: Digest [redacted:authorization]\nHost: h",
    ),
    (
        "Authorization: AWS4-HMAC-SHA256 Credential=AB/1, Signature=fe5f\nHost: h",
        "Authorization: AWS4-HMAC-SHA256 [redacted:authorization]\nHost: h",
    ),
    ("Set-Cookie: sid=a1b2c3d4; Path=/\nHost: h", "Set-Cookie: [redacted:cookie]\nHost: h"),
    ("Server=db;User=a;Password=hunter2!;Timeout=3", "Server=db;User=a;Password=[redacted:password];Timeout=3"),
    ("a\\npassword=hunter2\\nb", "a\\npassword=[redacted:password]\\nb"),
    ('"secret": "cut off here', '"secret": "cut off here'),
    ('"secret": "cutoffhere', '"secret": "[redacted:secret]'),
    ("passwort und token = key", "passwort und token = key"),
    ('{"password": 12345678}', '{"password": 12345678}'),
    ("password = 12345678", "password = [redacted:password]"),
    ('if kind == "password" or "secret" == kind: pass', 'if kind == "password" or "secret" == kind: pass'),
]


@pytest.mark.parametrize(("text", "masked"), TOLD, ids=[text[:40] for text, _ in TOLD])
def test_the_value_of_a_name_is_masked_and_nothing_beside_it(text: str, masked: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == masked
    assert redactor.text(masked) == masked
