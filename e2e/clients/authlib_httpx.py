"""Authlib's client over httpx: the same calls as over requests."""

from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from httpx import HTTPStatusError

import authlib_requests
import scenario


class Client(authlib_requests.Client):
    refusals = (OAuthError, HTTPStatusError)

    def session(self, **further):
        given = {"client_id": self.id, "client_secret": self.secret, "scope": scenario.SCOPE}
        return OAuth2Client(**{**given, **further})


if __name__ == "__main__":
    scenario.run(Client)
