"""The replay of pages sees what is different."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.transcripts import Answer, Exchange, compared, read

PAGE = """
Some words.

```yaml
oauth2: {passwordConnector: local}
```

```console
$ curl -i http://127.0.0.1:5556/dex/keys \\
  -d a=b
HTTP/1.1 400 Bad Request
{"error":"x"}
$ curl http://127.0.0.1:5556/dex/token
```
"""
PRINTED = 'HTTP/1.1 400 Bad Request\nCache-Control: no-store\n\n{"error":"x","at":7,"list":["a"]}'


class TranscriptTests(SynchronousTestCase):
    def test_a_page_is_read(self) -> None:
        page = Path(self.mktemp())
        page.write_text(PAGE)
        transcript = read(page)
        self.assertEqual(transcript.config, {"oauth2": {"passwordConnector": "local"}})
        self.assertEqual(
            transcript.exchanges,
            (
                Exchange(
                    "curl -i http://127.0.0.1:5556/dex/keys    -d a=b",
                    'HTTP/1.1 400 Bad Request\n{"error":"x"}',
                ),
                Exchange("curl http://127.0.0.1:5556/dex/token", ""),
            ),
        )

    def test_answers_that_are_as_shown(self) -> None:
        for shown in (
            'HTTP/1.1 400 Bad Request\n{"error":"x","at":7,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\ncache-control: no-store\n\n{"error":"x","at":…,"list":…}',
            'HTTP/1.1 400 Bad Request\n{"error":"…","at":…,"list":…}',
            'HTTP/1.1 400 Bad Request\nCache-Control: no…or…\n{"error":"x","at":7,"list":["a"]}',
        ):
            self.assertEqual([*compared(shown, Answer.of(PRINTED))], [], shown)

    def test_answers_that_are_not(self) -> None:
        for shown in (
            '{"error":"x","at":7,"list":["a"]}',
            'HTTP/1.1 401 Unauthorized\n{"error":"x","at":7,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\nCache-Control: public\n{"error":"x","at":7,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\nAllow: GET\n{"error":"x","at":7,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\n{"error":"x","at":8,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\n{"error":"y…","at":7,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\nCache-Control: …no…ore….\n{"error":"x","at":7,"list":["a"]}',
            'HTTP/1.1 400 Bad Request\n{"error":"x","at":7}',
            'HTTP/1.1 400 Bad Request\n{"at":7,"error":"x","list":["a"]}',
            "HTTP/1.1 400 Bad Request",
        ):
            self.assertEqual(len([*compared(shown, Answer.of(PRINTED))]), 1, shown)
