"""What every client is put through, whatever it is called: tokens, and refusals that it must raise.

A client's own file has a class with the methods of `Client`; `run` reads its input, JSON, from standard
input: `tenants`, the base address, client id and secret of two tenants; `limited`, the same of one with
a low rate; `refusing`, addresses at which nobody answers. Whatever goes wrong ends the
program with a trace; at the end it prints how many steps there were.
"""

import json
import sys
import urllib.error
import urllib.request

PASSWORD = "correct horse battery"
SCOPE = "profile read"


class Client:
    """A tenant's client, made for a base address, an id and a secret."""

    # What the library raises when it is refused, and nothing that a fault of this program raises.
    refusals = ()

    def __init__(self, base, id, secret):
        self.base, self.id, self.secret = base, id, secret

    def machine(self, secret=None):
        """A token of the client's own, perhaps with another secret."""
        raise NotImplementedError

    def person(self, username, password):
        """A token of somebody's."""
        raise NotImplementedError

    def refresh(self, token):
        """The token that takes a token's place."""
        raise NotImplementedError

    def revoke(self, token):
        """Ends a token, given by its text."""
        raise NotImplementedError

    def get(self, path, token):
        """The status of a request with a token."""
        request = urllib.request.Request(self.base + path)
        request.add_header("Authorization", "Bearer " + token)
        try:
            return urllib.request.urlopen(request).status
        except urllib.error.HTTPError as refusal:
            return refusal.code


steps = 0


def step(what, holds):
    global steps
    steps += 1
    if not holds:
        raise SystemExit(f"{what}: it does not hold")


def raises(what, client, call, *arguments, **named):
    """The client must not take a refusal for a token."""
    try:
        got = call(*arguments, **named)
    except client.refusals as error:
        print(f"{what}: {type(error).__name__}: {error}"[:200], file=sys.stderr)
        step(what, True)
        return
    raise SystemExit(f"{what}: taken for an answer: {got}")


def tokens(here, there):
    token = here.machine()
    step("client_credentials", here.get("/api/protected", token["access_token"]) == 200)
    step("another tenant refuses it", there.get("/api/protected", token["access_token"]) == 401)
    first = here.person("ada", PASSWORD)
    step("password", here.get("/api/users/me", first["access_token"]) == 200)
    second = here.refresh(first)
    step("the refresh token rotates", second["refresh_token"] != first["refresh_token"])
    step("refresh_token", here.get("/api/users/me", second["access_token"]) == 200)
    raises("another tenant's refresh token", there, there.refresh, second)
    here.revoke(second["access_token"])
    step("revoked", here.get("/api/users/me", second["access_token"]) == 401)
    raises("a refresh token for the second time", here, here.refresh, first)
    raises("what came of the same sign-in", here, here.refresh, second)


def refusals(here):
    raises("invalid_client", here, here.machine, secret="wrong")
    raises("invalid_grant", here, here.person, "ada", "wrong password")


def many(client):
    """More tokens than a tenant's rate allows."""
    for _ in range(500):
        token = client.machine()
    return token


def run(kind):
    given = json.load(sys.stdin)
    one, other = [kind(*tenant) for tenant in given["tenants"]]
    for here, there in ((one, other), (other, one)):
        tokens(here, there)
        refusals(here)
    limited = kind(*given["limited"])
    raises("429", limited, many, limited)
    for base in given["refusing"]:
        # A gateway with nothing behind it, which answers 503.
        refused = kind(base, one.id, one.secret)
        raises(base, refused, refused.machine)
        raises(base, refused, refused.person, "ada", PASSWORD)
    print(f"{steps} steps")
