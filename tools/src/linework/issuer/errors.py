"""What the issuer refuses. A client reads the code (RFC 6749 §5.2), a person the page."""


class OAuthError(Exception):
    """A request of a client is refused; the code is one of OAuth 2.0 or OpenID Connect."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


class NotSentBack(Exception):
    """A sign-in or sign-out that names no client or no address of it: the person is told, and sent nowhere."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
