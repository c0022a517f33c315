"""requests-oauthlib, whose sessions have no revocation: that request is made with the same session."""

from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

import scenario


class Client(scenario.Client):
    refusals = (OAuth2Error,)

    def fetch(self, client, secret=None, **further):
        basic = HTTPBasicAuth(self.id, secret or self.secret)
        session = OAuth2Session(client=client)
        return session.fetch_token(self.base + "/oauth/token", auth=basic, **further)

    def machine(self, secret=None):
        return self.fetch(BackendApplicationClient(self.id, scope="read"), secret)

    def person(self, username, password):
        client = LegacyApplicationClient(self.id, scope=scenario.SCOPE)
        return self.fetch(client, username=username, password=password)

    def refresh(self, token):
        basic = HTTPBasicAuth(self.id, self.secret)
        session = OAuth2Session(self.id, token=token)
        return session.refresh_token(self.base + "/oauth/token", auth=basic)

    def revoke(self, token):
        basic = HTTPBasicAuth(self.id, self.secret)
        session = OAuth2Session(self.id)
        address, form = self.base + "/oauth/revoke", {"token": token}
        answer = session.post(address, data=form, auth=basic, withhold_token=True)
        answer.raise_for_status()


if __name__ == "__main__":
    scenario.run(Client)
