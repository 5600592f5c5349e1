"""What the table does not know is answered by twisted.web, framed by the front."""

from __future__ import annotations

from tests.web.front.front_case import EPOCH, FrontCase, body_of, get, post, statuses


class OtherPathsTests(FrontCase):
    def test_answer_to_the_byte(self) -> None:
        self.assertEqual(
            self.connect().send(get("/other?x")).decode(),
            f"HTTP/1.1 200 OK\r\n{EPOCH}X-Path: /other\r\nContent-Type: text/html\r\n"
            "Content-Length: 16\r\n\r\nfrom twisted.web",
        )

    def test_connection_goes_on(self) -> None:
        connection = self.connect()
        self.assertEqual(statuses(connection.send(get("/other") + get() + get("/other"))), [200] * 3)
        self.assertFalse(connection.ended)

    def test_body_is_handed_over(self) -> None:
        self.assertEqual(body_of(self.connect().send(post("a=1", path="/other"))), b"posted a=1")

    def test_HEAD_has_the_length_of_GET(self) -> None:
        connection = self.connect()
        whole, head = connection.send(get("/large")), connection.send(get("/large", method="HEAD"))
        self.assertIn(b"\r\nContent-Length: 100000\r\n", head)
        self.assertEqual(head, whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    def test_HTTP_1_0_gets_a_length_too(self) -> None:
        answer = self.connect().send(get("/other", version="1.0"))
        self.assertIn(b"\r\nContent-Length: 16\r\n", answer)
        self.assertNotIn(b"Transfer-Encoding", answer)

    def test_other_methods_are_the_sites_business(self) -> None:
        self.assertEqual(statuses(self.connect().send(get("/other", method="DELETE"))), [501])
