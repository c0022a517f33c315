"""httpx-oauth, which gets its first token by code alone: the others are asked for with httpx, and a
refusal is put to it where it asks for a token itself."""

import asyncio

import httpx
from httpx_oauth.oauth2 import OAuth2, OAuth2RequestError

import scenario


class Client(scenario.Client):
    refusals = (OAuth2RequestError,)

    def oauth(self, secret=None):
        return OAuth2(
            self.id,
            secret or self.secret,
            self.base + "/oauth/authorize",
            self.base + "/oauth/token",
            refresh_token_endpoint=self.base + "/oauth/token",
            revoke_token_endpoint=self.base + "/oauth/revoke",
            revocation_endpoint_auth_method="client_secret_post",
        )

    def fetch(self, secret=None, **form):
        form = {"client_id": self.id, "client_secret": secret or self.secret, **form}
        answer = httpx.post(self.base + "/oauth/token", data=form)
        if answer.status_code == 200:
            return answer.json()
        oauth = self.oauth(secret)
        return asyncio.run(oauth.get_access_token("unknown", "https://app.example/callback"))

    def machine(self, secret=None):
        return self.fetch(secret, grant_type="client_credentials", scope="read")

    def person(self, username, password):
        form = {"username": username, "password": password, "scope": scenario.SCOPE}
        return self.fetch(grant_type="password", **form)

    def refresh(self, token):
        return asyncio.run(self.oauth().refresh_token(token["refresh_token"]))

    def revoke(self, token):
        asyncio.run(self.oauth().revoke_token(token, "access_token"))


if __name__ == "__main__":
    scenario.run(Client)
