"""What a caller with a token may fetch."""

from functools import wraps

from django.http import HttpResponseForbidden, JsonResponse
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2 import Server

from .models import Note

# As oauth2_provider.decorators.protected_resource, with the core built once instead of each time.
CORE = OAuthLibCore(Server(OAuth2Validator()))
PAGE = 20


def bearer(*scopes):
    """Lets a request pass whose token carries the scopes."""

    def decorate(view):
        @wraps(view)
        def guarded(request):
            valid, oauth = CORE.verify_request(request, scopes=list(scopes))
            if not valid:
                return HttpResponseForbidden()
            return view(request, oauth)

        return guarded

    return decorate


@bearer("read")
def protected(request, oauth):
    return JsonResponse(
        {
            "message": "hello",
            "tenant": request.tenant.schema_name,
            "client": oauth.client.client_id,
            "user": getattr(oauth.user, "username", None),
        }
    )


@bearer("read")
def notes(_request, _oauth):
    newest = Note.objects.order_by("-id").values(
        "id", "author_id", "title", "body", "created_at", "updated_at"
    )
    items = list(newest[: PAGE + 1])
    more = len(items) > PAGE
    return JsonResponse({"items": items[:PAGE], "next": items[PAGE - 1]["id"] if more else None})
