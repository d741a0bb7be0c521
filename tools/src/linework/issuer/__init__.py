"""The local issuer: an OpenID provider for one machine, on which everybody may be anybody.

It grants every role to every caller without a password, so it listens on loopback unless HTTP_HOST is set, as on a
private test cluster. In production OIDC_ISSUER names a real provider; the services need no other change.

`app` has the addresses, `grants` the codes and refresh tokens, `requests` the parameters of a client, `pages` what a
person sees, `tokens` what is signed. Everything but the signing key is in memory: after a restart everybody signs in
again.
"""

from linework.issuer.app import make_app
from linework.issuer.tokens import SigningKey

__all__ = ["SigningKey", "make_app"]
