"""Authlib's session over requests."""

from authlib.integrations.requests_client import OAuth2Session, OAuthError
from requests import HTTPError

import scenario


class Client(scenario.Client):
    refusals = (OAuthError, HTTPError)

    def session(self, **further):
        given = {"client_id": self.id, "client_secret": self.secret, "scope": scenario.SCOPE}
        return OAuth2Session(**{**given, **further})

    def machine(self, secret=None):
        session = self.session(client_secret=secret or self.secret, scope="read")
        return session.fetch_token(self.base + "/oauth/token", grant_type="client_credentials")

    def person(self, username, password):
        address = self.base + "/oauth/token"
        return self.session().fetch_token(address, username=username, password=password)

    def refresh(self, token):
        address = self.base + "/oauth/token"
        return self.session().refresh_token(address, refresh_token=token["refresh_token"])

    def revoke(self, token):
        session = self.session()
        session.revoke_token(self.base + "/oauth/revoke", token=token).raise_for_status()
        answer = session.introspect_token(self.base + "/oauth/introspect", token=token)
        scenario.step("introspected", answer.json() == {"active": False})


if __name__ == "__main__":
    scenario.run(Client)
