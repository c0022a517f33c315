"""The routes that are measured."""

from django.urls import path
from oauth2_provider.views import TokenView

from notes import views

urlpatterns = [
    path("oauth/token", TokenView.as_view()),
    path("api/protected", views.protected),
    path("api/notes", views.notes),
]
