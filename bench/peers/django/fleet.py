"""Creates and fills the peer's tenants.

fleet.py base                 the schema that others are cloned from
fleet.py create FIRST LAST    tenants t<FIRST> .. t<LAST>; prints each one's milliseconds as JSON
fleet.py fill FIRST LAST      a user, a client, a token and a hundred notes each
"""

import json
import os
import sys
import time
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peer.settings")

import django

django.setup()

from customers.models import Client, Domain
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from django_tenants.utils import schema_context
from notes.models import Note
from oauth2_provider.models import AccessToken, Application

# The same in src/peer/django.rs.
SECRET = "a-client-secret-of-enough-entropy"


def create(number):
    """Creates one tenant and returns how many milliseconds that took."""
    started = time.perf_counter()
    connection.set_schema_to_public()
    tenant = Client(schema_name=f"t{number}", name=f"Tenant {number}")
    tenant.save(verbosity=0)
    Domain.objects.create(domain=f"t{number}.localhost", tenant=tenant, is_primary=True)
    return (time.perf_counter() - started) * 1e3


def fill(number):
    """Gives one tenant what the load needs."""
    with schema_context(f"t{number}"):
        user = User.objects.create(username="owner", email="owner@example.com", password="!")
        client = Application.objects.create(
            name="bench",
            client_id=f"client{number}",
            client_secret=SECRET,
            hash_client_secret=False,
            client_type="confidential",
            authorization_grant_type="client-credentials",
            user=user,
        )
        AccessToken.objects.create(
            user=user,
            application=client,
            token=f"token{number}-abcdefghijklmnopqrstuvwxyz",
            scope="read profile",
            expires=timezone.now() + timedelta(days=1),
        )
        notes = [Note(title=f"note {n}", body="x" * 100, author=user) for n in range(100)]
        Note.objects.bulk_create(notes)


def main(command, *numbers):
    if command == "base":
        Client(schema_name="base", name="base").save(verbosity=0)
        return
    first, last = map(int, numbers)
    if command == "create":
        print(json.dumps([create(number) for number in range(first, last + 1)]))
    elif command == "fill":
        for number in range(first, last + 1):
            fill(number)


main(*sys.argv[1:])
