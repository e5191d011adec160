"""The paths of the contract, below the address the bridge knows as CRM_URL."""
from django.urls import path

from . import views

urlpatterns = [
    path("sessions/<str:session_id>", views.session),
    path("sessions/<str:session_id>/notes", views.notes),
    path("contacts/batch", views.contacts),
    path("chats/batch", views.chats),
    path("messages/batch", views.messages),
    path("statuses/batch", views.statuses),
    path("changes/batch", views.changes),
    path("contacts/merge", views.contacts_merge),
    path("stats", views.stats),
    path("clients", views.clients),
    path("clients/<int:client_id>", views.client),
]
